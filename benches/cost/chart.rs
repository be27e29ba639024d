//! The bar chart: size and CPU of each program, on logarithmic scales, because they differ by factors of a hundred.

use crate::table::{milliseconds, size};
use std::fmt::Write;
use std::time::Duration;

pub struct Bar {
    pub name: String,
    pub ours: bool,
    pub bytes: u64,
    pub cpu: Duration,
}

const WIDTH: f64 = 820.0;
const NAMES: f64 = 150.0;
/// Of one panel; behind its bars is room for their figures.
const BARS: f64 = 240.0;
const PANEL: f64 = 335.0;
const TOP: f64 = 54.0;
const ROW: f64 = 26.0;

/// One of the two panels: a scale in powers of ten, from the first to the last.
struct Panel {
    left: f64,
    title: &'static str,
    powers: std::ops::RangeInclusive<i32>,
    label: fn(i32) -> String,
    value: fn(&Bar) -> f64,
    figure: fn(&Bar) -> String,
}

const PANELS: [Panel; 2] = [
    Panel {
        left: NAMES,
        title: "size with shared libraries",
        powers: 0..=5,
        // 1 MiB is 1024 KiB and not 1000: on this scale that is half a pixel.
        label: |power| match power {
            0..3 => format!("{} KiB", 10f64.powi(power)),
            _ => format!("{} MiB", 10f64.powi(power - 3)),
        },
        value: |bar| bar.bytes as f64 / 1024.0,
        figure: |bar| size(bar.bytes),
    },
    Panel {
        left: NAMES + PANEL,
        title: "CPU time of a healthy check",
        powers: -2..=1,
        label: |power| format!("{} ms", 10f64.powi(power)),
        value: |bar| bar.cpu.as_secs_f64() * 1000.0,
        figure: |bar| format!("{} ms", milliseconds(bar.cpu)),
    },
];

pub fn svg(bars: &[Bar]) -> String {
    let bottom = TOP + ROW * bars.len() as f64;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {}" role="img" aria-labelledby="title desc">
<title id="title">What a health check costs</title>
<desc id="desc">{}</desc>
<style>
text {{ font: 13px system-ui, sans-serif; fill: #24292f }}
.small {{ font-size: 11px; fill: #57606a }}
.middle {{ text-anchor: middle }}
.end {{ text-anchor: end }}
.head {{ font-weight: 600 }}
line {{ stroke: #8c959f; stroke-opacity: .4 }}
rect {{ fill: #8c959f }}
.ours {{ fill: #1f883d }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }}
.small {{ fill: #9198a1 }}
.ours {{ fill: #3fb950 }}
}}
</style>
"#,
        bottom + 10.0,
        bars.iter().map(sentence).collect::<String>()
    );
    for panel in PANELS {
        draw(&mut svg, &panel, bars, bottom).expect("a String takes all that is written");
    }
    for (row, bar) in bars.iter().enumerate() {
        let (x, y) = (NAMES - 10.0, TOP + ROW * row as f64 + 18.0);
        svg += &format!(
            "<text class=\"end\" x=\"{x}\" y=\"{y}\">{}</text>\n",
            escape(&bar.name)
        );
    }
    svg + "</svg>\n"
}

fn draw(svg: &mut String, panel: &Panel, bars: &[Bar], bottom: f64) -> std::fmt::Result {
    let (first, last) = (
        f64::from(*panel.powers.start()),
        f64::from(*panel.powers.end()),
    );
    let place = |power: f64| BARS * (power - first) / (last - first);
    writeln!(
        svg,
        "<text class=\"head\" x=\"{}\" y=\"16\">{}</text>",
        panel.left, panel.title
    )?;
    for power in panel.powers.clone() {
        let (x, label) = (panel.left + place(power.into()), (panel.label)(power));
        writeln!(
            svg,
            "<text class=\"small middle\" x=\"{x:.0}\" y=\"{}\">{label}</text>",
            TOP - 12.0
        )?;
        writeln!(
            svg,
            "<line x1=\"{x:.0}\" y1=\"{}\" x2=\"{x:.0}\" y2=\"{bottom}\"/>",
            TOP - 6.0
        )?;
    }
    for (row, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let length = place((panel.value)(bar).log10()).clamp(1.0, BARS);
        let class = if bar.ours { " class=\"ours\"" } else { "" };
        writeln!(
            svg,
            "<rect{class} x=\"{}\" y=\"{}\" width=\"{length:.1}\" height=\"16\" rx=\"2\"/>",
            panel.left,
            y + 5.0
        )?;
        let x = panel.left + length + 6.0;
        writeln!(
            svg,
            "<text class=\"small\" x=\"{x:.1}\" y=\"{}\">{}</text>",
            y + 17.0,
            (panel.figure)(bar)
        )?;
    }
    Ok(())
}

fn sentence(bar: &Bar) -> String {
    format!(
        "{}: {}, {} ms. ",
        escape(&bar.name),
        size(bar.bytes),
        milliseconds(bar.cpu)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
