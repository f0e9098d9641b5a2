//! Charts as SVG.

use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, ChartBuilder, Circle, Color as _, DrawingArea, DrawingAreaErrorKind,
    IntoDrawingArea as _, LineSeries, PathElement, RGBColor, Rectangle, SVGBackend, Text, WHITE,
};

use super::measures::{Bin, Estimate};

const SIZE: (u32, u32) = (640, 420);
const FONT: (&str, u32) = ("sans-serif", 14);
const BLUE: RGBColor = RGBColor(31, 96, 160);
const GREY: RGBColor = RGBColor(150, 150, 150);

type Error = DrawingAreaErrorKind<std::io::Error>;

/// Predicted against observed share; the area of a dot stands for the number of predictions.
pub(super) fn calibration(title: &str, bins: &[Bin]) -> String {
    drawn(|area| {
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 17))
            .margin(16)
            .x_label_area_size(42)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .x_desc("predicted probability")
            .y_desc("observed share")
            .label_style(FONT)
            .light_line_style(WHITE)
            .draw()?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], GREY))?;
        let total: usize = bins.iter().map(|bin| bin.count).sum();
        let dot = |bin: &Bin| {
            let radius = 3.0 + 22.0 * (bin.count as f64 / total as f64).sqrt();
            Circle::new((bin.predicted, bin.observed), radius, BLUE.mix(0.6).filled())
        };
        chart.draw_series(bins.iter().map(dot))?;
        Ok(())
    })
}

/// One measure for several methods, with intervals.
pub(super) fn comparison(title: &str, rows: &[(&str, Estimate)]) -> String {
    drawn(|area| {
        let height = rows.len() as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 17))
            .margin(16)
            .x_label_area_size(42)
            .build_cartesian_2d(0.0..1.0, 0.0..height)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .label_style(FONT)
            .light_line_style(WHITE)
            .draw()?;
        for (position, (label, estimate)) in rows.iter().enumerate() {
            let top = height - position as f64;
            let bar = Rectangle::new(
                [(0.0, top - 0.75), (estimate.value, top - 0.4)],
                BLUE.mix(0.5).filled(),
            );
            let interval = PathElement::new(
                [(estimate.lower, top - 0.575), (estimate.upper, top - 0.575)],
                BLACK.stroke_width(2),
            );
            chart.draw_series([bar])?;
            chart.draw_series([interval])?;
            chart.draw_series([Text::new((*label).to_owned(), (0.01, top - 0.1), FONT)])?;
        }
        Ok(())
    })
}

/// The SVG that `draw` makes. A string takes everything that is drawn, so there is nothing to fail.
fn drawn(draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), Error>) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let done = area.fill(&WHITE).and_then(|()| draw(&area)).and_then(|()| area.present());
        if let Err(error) = done {
            tracing::error!(%error, "a chart was not drawn");
        }
    }
    svg
}
