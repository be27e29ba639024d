//! Tables for a terminal and for Markdown, and how figures are written in them.

use std::time::Duration;

/// Rows of text: the first column is names, the others are figures.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(heads: &[&str]) -> Self {
        Table {
            rows: vec![heads.iter().map(|&head| head.to_owned()).collect()],
        }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.rows[0].len(), "a cell for each column");
        self.rows.push(cells.into());
    }

    pub fn plain(&self) -> String {
        self.lines("  ", "")
    }

    pub fn markdown(&self) -> String {
        let mut lines = self.lines(" | ", "|");
        let rule: String = (1..self.rows[0].len()).map(|_| "---:|").collect();
        let head = lines.find('\n').expect("a table has a head") + 1;
        lines.insert_str(head, &format!("|---|{rule}\n"));
        lines
    }

    fn lines(&self, between: &str, around: &str) -> String {
        let width = |column: usize| self.rows.iter().map(|row| row[column].len()).max();
        let widths: Vec<_> = (0..self.rows[0].len()).filter_map(width).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<_> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, &width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            let pad = if around.is_empty() { "" } else { " " };
            format!("{around}{pad}{}{pad}{around}\n", cells.join(between))
        };
        self.rows.iter().map(line).collect()
    }
}

pub fn size(bytes: u64) -> String {
    match bytes as f64 / 1024.0 {
        kib if kib < 10.0 => format!("{kib:.1} KiB"),
        kib if kib < 1024.0 => format!("{kib:.0} KiB"),
        kib => format!("{:.1} MiB", kib / 1024.0),
    }
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1000.0)
}

pub fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

pub fn cores(cores: f64) -> String {
    match cores {
        cores if cores < 10.0 => format!("{cores:.2} cores"),
        cores => format!("{cores:.0} cores"),
    }
}
