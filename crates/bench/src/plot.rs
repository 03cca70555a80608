//! A line plot as SVG.

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
