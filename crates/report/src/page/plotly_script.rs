//! plotly.js, out of the crate `plotly`.
//!
//! The crate hands out its library together with `MathJax`, two megabytes that a page has no use for;
//! only the library is taken.

use std::sync::LazyLock;

use plotly::Plot;

use crate::error::ReportError;

static SOURCE: LazyLock<Option<String>> = LazyLock::new(|| library(&Plot::offline_js_sources()));

/// The source of plotly.js.
pub fn source() -> Result<&'static str, ReportError> {
    SOURCE.as_deref().ok_or(ReportError::NoChartLibrary)
}

/// The script in `html` that is plotly.js.
fn library(html: &str) -> Option<String> {
    let scripts = html.split("<script").skip(1);
    let bodies = scripts.filter_map(|script| script.split_once('>')?.1.split_once("</script>"));
    let mut bodies = bodies.map(|(body, _)| body);
    bodies.find(|body| body.trim_start().starts_with("/**\n* plotly.js")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_crate_has_the_library_and_a_page_gets_it_whole() {
        let source = source().unwrap();
        assert!(source.contains("plotly.js v3."));
        assert!(source.len() > 4_000_000 && source.len() < 5_000_000, "{}", source.len());
        assert!(
            source.trim_end().ends_with("));") || source.trim_end().ends_with('}'),
            "cut short"
        );
    }
}
