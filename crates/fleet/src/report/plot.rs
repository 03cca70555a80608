//! Plots as inline SVG, whose colours the page chooses.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// One line of a plot.
pub(super) struct Series<'s> {
    pub(super) label: &'s str,
    /// In order of x; where there is no y, the line has a gap.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A plot of up to four lines. `None` where there is nothing to draw.
pub(super) fn plot(
    title: &str,
    x_label: &str,
    y_label: &str,
    most_y: Option<f64>,
    series: &[Series<'_>],
) -> Option<String> {
    let drawn = series.iter().flat_map(|series| &series.points).filter_map(|(x, y)| Some((*x, (*y)?)));
    let (count, widest, highest) =
        drawn.fold((0, 0.0_f64, 0.0_f64), |(count, width, height), (x, y)| (count + 1, width.max(x), height.max(y)));
    if count < 2 {
        return None;
    }
    let (xs, ys) =
        (Axis::new(widest, 8, WIDTH - LEFT - RIGHT), Axis::new(most_y.unwrap_or(highest), 5, HEIGHT - TOP - BOTTOM));
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n");
    for tick in ys.ticks() {
        let y = HEIGHT - BOTTOM - ys.place(tick);
        let (right, text) = (WIDTH - RIGHT, number(tick));
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    for tick in xs.ticks() {
        let (x, y) = (LEFT + xs.place(tick), HEIGHT - BOTTOM + 16.0);
        let _ = writeln!(svg, "<text class=\"x\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", number(tick));
    }
    let (middle, bottom) = (LEFT + (WIDTH - LEFT - RIGHT) / 2.0, HEIGHT - 4.0);
    let _ = writeln!(svg, "<text class=\"x\" x=\"{middle}\" y=\"{bottom}\">{x_label}</text>");
    let _ = writeln!(svg, "<text class=\"unit\" x=\"{:.1}\" y=\"{:.1}\">{y_label}</text>", LEFT + 4.0, TOP + 8.0);
    for (index, series) in series.iter().enumerate() {
        let mut path = String::new();
        let mut pen = 'M';
        for (x, y) in &series.points {
            let Some(y) = y else {
                pen = 'M';
                continue;
            };
            let (x, y) = (LEFT + xs.place(*x), HEIGHT - BOTTOM - ys.place(*y));
            let _ = write!(path, "{pen}{x:.1} {y:.1}");
            pen = 'L';
        }
        let _ = writeln!(svg, "<path class=\"line s{index}\" d=\"{path}\"><title>{}</title></path>", series.label);
    }
    svg.push_str("</svg>\n");
    let mut key = String::new();
    if series.len() > 1 {
        for (index, series) in series.iter().enumerate() {
            let _ = write!(key, "<span class=\"key s{index}\">{}</span>", series.label);
        }
    }
    Some(format!("<figure><figcaption>{title} {key}</figcaption>\n{svg}</figure>\n"))
}

/// From 0 to a round number.
struct Axis {
    most: f64,
    step: f64,
    length: f64,
}

impl Axis {
    fn new(most: f64, ticks: u32, length: f64) -> Self {
        let rough = (most / f64::from(ticks)).max(1e-6);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= rough * 0.999_999);
        let step = step.unwrap_or(10.0 * power);
        Self { most: (most / step - 1e-9).ceil().max(1.0) * step, step, length }
    }

    fn place(&self, value: f64) -> f64 {
        (value / self.most).clamp(0.0, 1.0) * self.length
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        (0..=(self.most / self.step).round() as u32).map(|tick| f64::from(tick) * self.step)
    }
}

/// Without the tail that adding up steps leaves.
fn number(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, ticks, expected) in [
            (97.0, 5, vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
            (100.0, 5, vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
            (0.0, 5, vec![0.0, 1e-6]),
            (31.0, 8, vec![0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0]),
        ] {
            let axis = Axis::new(most, ticks, 100.0);
            let found: Vec<f64> = axis.ticks().collect();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        }
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let points = vec![(0.0, Some(0.0)), (1.0, Some(1.0)), (2.0, None), (3.0, Some(1.0)), (4.0, Some(0.0))];
        let svg = plot("t", "x", "y", None, &[Series { label: "l", points }]).unwrap();
        let path = svg.split("line s0\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 2));
        assert!(plot("t", "x", "y", None, &[Series { label: "l", points: vec![(0.0, Some(1.0))] }]).is_none());
    }
}
