//! Plots as SVG: lines, and bars.

use std::fmt::Write;

/// A line: its name, and points.
pub struct Line {
    /// For the legend.
    pub name: String,
    /// Ascending by x.
    pub points: Vec<(f64, f64)>,
}

const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const MARGIN: f64 = 60.0;

/// Draws the lines, with a dashed mark at the height `limit`; `y` is cut at three times that.
#[must_use]
pub fn svg(title: &str, axes: (&str, &str), limit: f64, lines: &[Line]) -> String {
    let top = limit * 3.0;
    let right = lines.iter().flat_map(|line| &line.points).map(|point| point.0).fold(1.0, f64::max);
    let place = |(x, y): (f64, f64)| {
        let across = MARGIN + x / right * (WIDTH - 2.0 * MARGIN);
        (across, HEIGHT - MARGIN - y.min(top) / top * (HEIGHT - 2.0 * MARGIN))
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{MARGIN}\" y=\"30\" font-size=\"16\">{title}</text>\n"
    );
    let mut text = |x: f64, y: f64, anchor: &str, what: &str, colour: &str| {
        let _ =
            writeln!(out, "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{what}</text>");
    };
    for step in 0..=6 {
        let share = f64::from(step) / 6.0;
        let (x, y) = (place((right * share, 0.0)), place((0.0, top * share)));
        text(x.0, x.1 + 20.0, "middle", &format!("{:.0}", right * share), "black");
        text(y.0 - 8.0, y.1 + 4.0, "end", &format!("{:.0}", top * share), "black");
    }
    text(WIDTH / 2.0, HEIGHT - 15.0, "middle", axes.0, "black");
    text(MARGIN, 50.0, "start", axes.1, "black");
    for (index, line) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        text(WIDTH - MARGIN, 50.0 + 18.0 * index as f64, "end", &line.name, colour);
    }
    let mut path = |points: &[(f64, f64)], style: &str| {
        let points: Vec<_> = points.iter().map(|&point| place(point)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(out, "<polyline fill=\"none\" {style} points=\"{}\"/>", points.join(" "));
    };
    path(&[(0.0, top), (0.0, 0.0), (right, 0.0)], "stroke=\"black\"");
    path(&[(0.0, limit), (right, limit)], "stroke=\"grey\" stroke-dasharray=\"6 4\"");
    for (index, line) in lines.iter().enumerate() {
        path(&line.points, &format!("stroke-width=\"2\" stroke=\"{}\"", COLOURS[index % COLOURS.len()]));
    }
    out + "</svg>\n"
}

/// A bar: what it belongs to, its name, and how long it is.
pub struct Bar {
    /// Bars of one group stand together.
    pub group: &'static str,
    /// Gives it its colour, and stands in the legend.
    pub name: &'static str,
    /// A ratio: 1 is marked.
    pub value: f64,
}

const BAR: f64 = 12.0;
const LABELS: f64 = 220.0;

/// Draws the bars below each other, with a dashed mark at 1.
#[must_use]
pub fn bars(title: &str, bars: &[Bar]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for bar in bars {
        if !names.contains(&bar.name) {
            names.push(bar.name);
        }
    }
    let groups = 1 + bars.windows(2).filter(|pair| pair[0].group != pair[1].group).count();
    let most = bars.iter().map(|bar| bar.value).fold(1.0, f64::max);
    let long = |value: f64| value / most * (WIDTH - LABELS - MARGIN);
    let top = 50.0 + 18.0 * names.len() as f64;
    let height = top + BAR * bars.len() as f64 + BAR * groups as f64 + 30.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"20\" y=\"30\" font-size=\"16\">{title}</text>\n"
    );
    for (index, name) in names.iter().enumerate() {
        let (y, colour) = (50.0 + 18.0 * index as f64, COLOURS[index % COLOURS.len()]);
        let _ = writeln!(out, "<text x=\"20\" y=\"{y:.0}\" fill=\"{colour}\">{name}</text>");
    }
    let (mut y, mut group) = (top, "");
    for bar in bars {
        if bar.group != group {
            y += BAR;
            group = bar.group;
            let _ = writeln!(
                out,
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{group}</text>",
                LABELS - 8.0,
                y + BAR - 2.0
            );
        }
        let colour = COLOURS[names.iter().position(|name| *name == bar.name).unwrap_or(0) % COLOURS.len()];
        let (width, high) = (long(bar.value), BAR - 2.0);
        let _ = writeln!(
            out,
            "<rect x=\"{LABELS}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{high}\" fill=\"{colour}\"/>"
        );
        let (x, below) = (LABELS + width + 4.0, y + BAR - 2.0);
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{below:.0}\">{:.2}</text>", bar.value);
        y += BAR;
    }
    let one = LABELS + long(1.0);
    let _ = writeln!(out, "<path d=\"M{one:.1} {top:.0}V{y:.0}\" stroke=\"grey\" stroke-dasharray=\"6 4\"/>");
    out + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values_and_one_is_marked() {
        let bar = |group, name, value| Bar { group, name, value };
        let svg = bars("t", &[bar("encode", "a", 0.5), bar("encode", "b", 2.0), bar("decode", "a", 1.0)]);
        let width = WIDTH - LABELS - MARGIN;
        for share in [0.25, 1.0, 0.5] {
            assert!(svg.contains(&format!("width=\"{:.1}\"", width * share)), "{share}: {svg}");
        }
        assert!(svg.contains(&format!("M{:.1} ", LABELS + width / 2.0)), "{svg}");
        assert_eq!(svg.matches("<rect x=").count(), 3);
        assert_eq!(svg.matches(">encode<").count() + svg.matches(">decode<").count(), 2);
    }
}
