//! The wrong predictions that a model was surest of, as a person can look at them.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use converge_data::{Inputs, Samples};
use converge_record::{MOST_MISTAKES, Mistake, MistakenInput, Number};
use image::imageops::thumbnail;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};

/// The side that larger images are made smaller to, in pixels.
const LARGEST_SIDE: u32 = 128;
/// The characters of a text that are kept.
const LONGEST_TEXT: usize = 600;

/// The surest wrong predictions among `test`, of which `targets` are the classes and `logits`,
/// row-major, what the model said of each; none where inputs cannot be shown.
pub(super) fn surest_mistakes(
    test: &Samples,
    targets: &[u32],
    logits: &[f32],
    predicted: &[u32],
) -> Vec<Mistake> {
    let classes = logits.len() / targets.len();
    let mut wrong: Vec<(usize, f64)> = (0..targets.len())
        .filter(|&index| targets[index] != predicted[index])
        .map(|index| (index, surety(&logits[index * classes..][..classes])))
        .collect();
    wrong.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mistake = |(index, probability): (usize, f64)| {
        Some(Mistake {
            index,
            truth: targets[index] as usize,
            prediction: predicted[index] as usize,
            probability: Number(probability),
            input: shown(test, index)?,
        })
    };
    wrong.into_iter().take(MOST_MISTAKES).filter_map(mistake).collect()
}

/// The softmax of the largest of `logits`: 1 / Σ exp(zᵢ − max z).
fn surety(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    1.0 / logits.iter().map(|logit| f64::from(logit - largest).exp()).sum::<f64>()
}

fn shown(samples: &Samples, index: usize) -> Option<MistakenInput> {
    match &samples.inputs {
        Inputs::Texts { texts, .. } => {
            let text = texts.get(index)?;
            let mut beginning: String = text.chars().take(LONGEST_TEXT).collect();
            if beginning.len() < text.len() {
                beginning.push('…');
            }
            Some(MistakenInput::Text(beginning))
        }
        Inputs::Bytes(bytes) => {
            let &[channels, height, width] = samples.shape.as_slice() else { return None };
            let length = channels * height * width;
            let image =
                picture(bytes.get(index * length..)?.get(..length)?, channels, height, width)?;
            let mut png = Cursor::new(vec![]);
            image.write_to(&mut png, ImageFormat::Png).ok()?;
            Some(MistakenInput::Png(BASE64.encode(png.into_inner())))
        }
        Inputs::Floats(_) | Inputs::Pairs(_) | Inputs::Ids(_) => None,
    }
}

/// The picture whose channels are one after another in `bytes`.
fn picture(bytes: &[u8], channels: usize, height: usize, width: usize) -> Option<DynamicImage> {
    let (rows, columns) = (u32::try_from(height).ok()?, u32::try_from(width).ok()?);
    let image: DynamicImage = match channels {
        1 => GrayImage::from_raw(columns, rows, bytes.to_vec())?.into(),
        3 => {
            let plane = height * width;
            let pixels =
                (0..plane).flat_map(|at| [bytes[at], bytes[plane + at], bytes[2 * plane + at]]);
            RgbImage::from_raw(columns, rows, pixels.collect())?.into()
        }
        _ => return None,
    };
    if columns.max(rows) <= LARGEST_SIDE {
        return Some(image);
    }
    let factor = f64::from(LARGEST_SIDE) / f64::from(columns.max(rows));
    let side = |pixels: u32| ((f64::from(pixels) * factor).round() as u32).max(1);
    Some(match image {
        DynamicImage::ImageLuma8(gray) => thumbnail(&gray, side(columns), side(rows)).into(),
        other => thumbnail(&other.into_rgb8(), side(columns), side(rows)).into(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use converge_data::Targets;

    use super::*;

    /// Two RGB images of 2 x 1 pixels.
    fn images() -> Samples {
        Samples {
            shape: vec![3, 1, 2],
            inputs: Inputs::Bytes(vec![255, 0, 0, 255, 0, 0, 9, 9, 9, 9, 9, 9]),
            targets: Targets::Classes(vec![0, 1]),
        }
    }

    #[test]
    fn the_surest_mistake_comes_first_and_is_a_picture_of_its_sample() {
        // Softmax of (0, ln 3) is 1/4, 3/4; of (ln 9, 0) it is 9/10, 1/10.
        let logits = [0.0, 3_f32.ln(), 9_f32.ln(), 0.0];
        let mistakes = surest_mistakes(&images(), &[0, 1], &logits, &[1, 0]);
        let told: Vec<_> =
            mistakes.iter().map(|one| (one.index, one.truth, one.prediction)).collect();
        assert_eq!(told, [(1, 1, 0), (0, 0, 1)]);
        assert!((mistakes[0].probability.0 - 0.9).abs() < 1e-6);
        assert!((mistakes[1].probability.0 - 0.75).abs() < 1e-6);
        let MistakenInput::Png(png) = &mistakes[1].input else { panic!("no picture") };
        let image = image::load_from_memory(&BASE64.decode(png).unwrap()).unwrap().into_rgb8();
        assert_eq!((image.get_pixel(0, 0).0, image.get_pixel(1, 0).0), ([255, 0, 0], [0, 255, 0]));
        assert!(surest_mistakes(&images(), &[0, 1], &logits, &[0, 1]).is_empty());
    }

    #[test]
    fn large_pictures_are_made_smaller() {
        let image = picture(&vec![7; 3 * 512 * 256], 3, 256, 512).unwrap();
        assert_eq!((image.width(), image.height()), (128, 64));
        let strip = picture(&vec![7; 4096], 1, 1, 4096).unwrap();
        assert_eq!((strip.width(), strip.height()), (128, 1));
    }
}
