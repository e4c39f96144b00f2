//! Inputs as users give them, read as the model takes them: images, lines of text, rows of numbers.

use std::borrow::Cow;
use std::path::Path;

use image::imageops::{self, FilterType};

use super::PredictionError;
use crate::evaluation::Trained;
use converge_data::{Rows, parse_row, read_image_file, read_rows, read_text, with_plain_line_ends};

/// An input with its name, as the model takes it, or why it cannot be had.
pub(super) type Input = Result<(String, Rows), PredictionError>;

/// The raw inputs that `input` stands for.
pub(super) fn read(
    input: &str,
    trained: &Trained,
    invert: bool,
) -> Result<Vec<Input>, PredictionError> {
    let path = Path::new(input);
    if let Some(vocabulary) = trained.preprocessing.vocabulary() {
        let texts = if path.is_file() {
            lines(path)?
        } else {
            vec![with_plain_line_ends(input).into_owned()]
        };
        let row = |text: String| Ok(vocabulary.row(&text).map(|ids| (text, Rows::Ids(ids)))?);
        return Ok(texts.into_iter().map(row).collect());
    }
    match trained.experiment.data.input_shape().as_slice() {
        &[channels, height, width] => {
            let pixels = match trained.experiment.data.read_image(path)? {
                Some(pixels) => {
                    let pixel = |level: u8| f32::from(if invert { 255 - level } else { level });
                    pixels.into_iter().map(pixel).collect()
                }
                None => image(path, [channels, height, width], invert)?,
            };
            Ok(vec![Ok((input.to_owned(), Rows::Floats(pixels)))])
        }
        shape => {
            let features = feature_names(trained, shape.iter().product());
            if path.is_file() { table(path, &features) } else { Ok(vec![typed(input, &features)]) }
        }
    }
}

/// The names of the features: those of the data set, or numbers where it has none.
fn feature_names(trained: &Trained, count: usize) -> Cow<'_, [String]> {
    let names = &trained.run.record.data.feature_names;
    if names.len() == count {
        Cow::Borrowed(names)
    } else {
        Cow::Owned((1..=count).map(|number| number.to_string()).collect())
    }
}

/// The lines of the file `path` that are not blank.
fn lines(path: &Path) -> Result<Vec<String>, PredictionError> {
    let text = read_text(path)?;
    let lines: Vec<String> =
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(PredictionError::NoText(path.to_owned()));
    }
    Ok(lines)
}

/// The image at `path`, scaled to `height` by `width`, channels first, 0 to 255.
fn image(
    path: &Path,
    [channels, height, width]: [usize; 3],
    invert: bool,
) -> Result<Vec<f32>, PredictionError> {
    let mut image = read_image_file(path)?;
    if invert {
        imageops::invert(&mut image);
    }
    let (width, height) = (width as u32, height as u32);
    if (image.width(), image.height()) != (width, height) {
        image = imageops::resize(&image, width, height, FilterType::Triangle);
    }
    match channels {
        1 => Ok(imageops::grayscale(&image).into_raw().into_iter().map(f32::from).collect()),
        3 => {
            let pixels = image.into_raw();
            let channel = |index| pixels.iter().skip(index).step_by(3).copied().map(f32::from);
            Ok((0..3).flat_map(channel).collect())
        }
        _ => Err(PredictionError::Channels(channels)),
    }
}

/// The rows of a table.
fn table(path: &Path, features: &[String]) -> Result<Vec<Input>, PredictionError> {
    let rows = read_rows(path, features)?;
    if rows.is_empty() {
        return Err(PredictionError::NoRows(path.to_owned()));
    }
    let input = |(line, row): (usize, Result<Vec<f32>, String>)| {
        let name = format!("{}:{line}", path.display());
        match row {
            Ok(values) => Ok((name, Rows::Floats(values))),
            Err(problem) => Err(PredictionError::Row { row: format!("`{name}`"), problem }),
        }
    };
    Ok(rows.into_iter().map(input).collect())
}

/// A row as it was typed.
fn typed(input: &str, features: &[String]) -> Input {
    match parse_row(input, features) {
        Ok(values) => Ok((input.to_owned(), Rows::Floats(values))),
        Err(problem) => {
            let row = format!("`{input}`, which is no file,");
            Err(PredictionError::Row { row, problem })
        }
    }
}
