//! Inputs as users give them, read as the model takes them: images, lines of text, rows of numbers.

use std::path::Path;

use image::imageops::FilterType;

use super::PredictionError;
use crate::evaluation::Trained;
use converge_data::Rows;

/// The raw inputs that `input` stands for, each with its name.
pub(super) fn read(
    input: &str,
    trained: &Trained,
    invert: bool,
) -> Result<Vec<(String, Rows)>, PredictionError> {
    let path = Path::new(input);
    if let Some(vocabulary) = trained.preprocessing.vocabulary() {
        let texts = if path.is_file() { lines(path)? } else { vec![input.to_owned()] };
        let row = |text: String| Ok(vocabulary.row(&text).map(|ids| (text, Rows::Ids(ids)))?);
        return texts.into_iter().map(row).collect();
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
            Ok(vec![(input.to_owned(), Rows::Floats(pixels))])
        }
        _ if path.is_file() => rows(path),
        _ => Ok(vec![(input.to_owned(), Rows::Floats(parse_row(input.split(','))?))]),
    }
}

/// The lines of the file `path` that are not blank.
fn lines(path: &Path) -> Result<Vec<String>, PredictionError> {
    let text = std::fs::read_to_string(path)
        .map_err(PredictionError::unreadable(format!("`{}`", path.display())))?;
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
    let unreadable = || format!("`{}` as an image", path.display());
    let reader = image::ImageReader::open(path).and_then(image::ImageReader::with_guessed_format);
    let decoded = reader.map_err(PredictionError::unreadable(unreadable()))?.decode();
    let mut image = decoded.map_err(PredictionError::unreadable(unreadable()))?;
    if invert {
        image.invert();
    }
    let (width, height) = (width as u32, height as u32);
    if (image.width(), image.height()) != (width, height) {
        image = image.resize_exact(width, height, FilterType::Triangle);
    }
    match channels {
        1 => Ok(image.to_luma8().into_raw().into_iter().map(f32::from).collect()),
        3 => {
            let pixels = image.to_rgb8().into_raw();
            let channel = |index| pixels.iter().skip(index).step_by(3).copied().map(f32::from);
            Ok((0..3).flat_map(channel).collect())
        }
        _ => Err(PredictionError::Channels(channels)),
    }
}

/// The rows of a CSV file; a first line of names is left out.
fn rows(path: &Path) -> Result<Vec<(String, Rows)>, PredictionError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(path)
        .map_err(PredictionError::unreadable(format!("`{}`", path.display())))?;
    let mut rows = vec![];
    for (index, record) in reader.records().enumerate() {
        let name = format!("{}:{}", path.display(), index + 1);
        let record = record.map_err(PredictionError::unreadable(name.clone()))?;
        match parse_row(record.iter()) {
            Ok(values) => rows.push((name, Rows::Floats(values))),
            Err(_) if index == 0 => {}
            Err(error) => return Err(PredictionError::unreadable(name)(error)),
        }
    }
    if rows.is_empty() {
        return Err(PredictionError::NoRows(path.to_owned()));
    }
    Ok(rows)
}

/// The numbers of one row; an empty field is a missing value.
fn parse_row<'a>(fields: impl Iterator<Item = &'a str>) -> Result<Vec<f32>, PredictionError> {
    fields
        .map(|field| match field.trim() {
            "" => Ok(f32::NAN),
            field => {
                let number = field.parse().ok().filter(|value: &f32| value.is_finite());
                number.ok_or_else(|| PredictionError::NotANumber(field.to_owned()))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_empty_field_is_a_missing_value_and_text_is_an_error() {
        let row = parse_row("1, ,3".split(',')).unwrap();
        assert!(row[1].is_nan());
        assert_eq!((row[0].to_bits(), row[2].to_bits()), (1f32.to_bits(), 3f32.to_bits()));
        assert!(parse_row("1,x".split(',')).unwrap_err().to_string().contains("`x`"));
        assert!(parse_row("inf".split(',')).is_err());
    }
}
