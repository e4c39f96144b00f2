//! What a run scored when it was evaluated: scores, the confusion matrix, the surest mistakes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use converge_diagnosis::command::quoted;
use converge_figures::numbers::{self, significant};
use converge_record::{EvaluationRecord, MOST_MISTAKES, Mistake, MistakenInput};

use crate::chart::confusion_matrix;
use crate::page::{Page, commands, escape, marked, share, synthetic_banner, table};
use crate::training::Training;

/// The most bytes of base64 that the images of a page take together.
const MOST_IMAGES: usize = 400_000;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(super) fn section(page: &mut Page, training: &Training) {
    let Some(evaluation) = &training.evaluation else {
        if training.record.is_some() && training.trained_by().is_none() {
            page.section("Evaluation");
            page.add("<p>There is no evaluation to be read. This makes one:</p>\n");
            page.add(&commands(&[format!("converge evaluate {}", quoted(&training.path))]));
        }
        return;
    };
    page.section(&format!("Evaluation on the {} split", evaluation.split));
    if evaluation.data.is_synthetic() && !training.is_synthetic() {
        page.add(&synthetic_banner("in the evaluation; the run was trained on real data."));
    }
    let other = evaluation.other_data.as_ref().map_or_else(String::new, |difference| {
        format!(" <strong>Other data than the run's:</strong> {}.", marked(difference))
    });
    page.add(&format!(
        "<p>The weights of epoch {} on {} samples of {}, {}, on {}.{other}</p>\n",
        evaluation.epoch,
        numbers::count(evaluation.samples as u64),
        marked(&evaluation.data.label()),
        escape(&evaluation.evaluated),
        escape(&evaluation.device)
    ));
    let rows: Vec<Vec<String>> = evaluation
        .metrics
        .iter()
        .map(|score| vec![escape(&score.name), significant(score.value.0, 5)])
        .collect();
    page.add(&table(&["score", "value"], &rows));
    page.charts(confusion_matrix(evaluation));
    mistakes(page, evaluation);
}

fn mistakes(page: &mut Page, evaluation: &EvaluationRecord) {
    if evaluation.mistakes.is_empty() {
        return;
    }
    let mut left = MOST_IMAGES;
    let kept = evaluation.mistakes.iter().take(MOST_MISTAKES);
    let all: String = kept.map(|one| mistake(one, evaluation, &mut left)).collect();
    page.add(&format!("<h3>The surest mistakes</h3>\n<div class=\"mistakes\">\n{all}</div>\n"));
}

/// A sample that was predicted wrong; its image as long as there is room `left`.
fn mistake(mistake: &Mistake, evaluation: &EvaluationRecord, left: &mut usize) -> String {
    let class = |index: usize| {
        evaluation.class_names.get(index).map_or_else(|| index.to_string(), |name| escape(name))
    };
    let input = match &mistake.input {
        MistakenInput::Png(base64) if base64.len() > *left => {
            "<p class=\"muted\">The image is too large for this page.</p>".to_owned()
        }
        // Anything else than an image would stand in the page as it is.
        MistakenInput::Png(base64) if is_png(base64) => {
            *left -= base64.len();
            format!("<img alt=\"sample {}\" src=\"data:image/png;base64,{base64}\">", mistake.index)
        }
        MistakenInput::Png(_) => "<p class=\"muted\">The image is damaged.</p>".to_owned(),
        MistakenInput::Text(text) => format!("<blockquote>{}</blockquote>", escape(text)),
    };
    format!(
        "<div>{input}<strong>{}</strong> taken for <strong>{}</strong><br><span class=\"muted\">{} sure, \
         sample {}</span></div>\n",
        class(mistake.truth),
        class(mistake.prediction),
        share(mistake.probability.0),
        mistake.index
    )
}

fn is_png(base64: &str) -> bool {
    BASE64.decode(base64).is_ok_and(|bytes| bytes.starts_with(PNG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_image_stands_in_the_page_as_it_is() {
        assert!(is_png("iVBORw0KGgo="));
        assert!(!is_png("\"><script>alert(1)</script>"));
        assert!(!is_png(&BASE64.encode("<svg onload=alert(1)>")));
    }
}
