//! Rows of features of the user's own: typed, or in a table whose header may name them.

use std::path::Path;

use super::decode::decode;
use super::image_file::read_contents;
use super::separator::{Separator, line_of};
use super::{DataError, with_plain_line_ends};

/// A row of a table, and the line that it is on, from 1; or what is wrong with it, to follow the
/// name of the file.
pub type TableRow = (usize, Result<Vec<f32>, String>);

/// The rows of the table at `path`, in the order of `features`. A first line with the name of a
/// feature is a header and has to name all of them, in any order; without one, columns are in the
/// order of `features`. What no feature is named after is not looked at. An empty value is missing,
/// and NaN.
pub fn read_rows(path: &Path, features: &[String]) -> Result<Vec<TableRow>, DataError> {
    let contents = read_contents(path)?;
    let text = decode(&contents).map_err(|problem| DataError::unusable(path, problem))?;
    parse(&text, features).map_err(|problem| DataError::unusable(path, problem))
}

/// The values of a typed row, between commas, or what is wrong with it, to follow the row.
pub fn parse_row(row: &str, features: &[String]) -> Result<Vec<f32>, String> {
    values(&with_plain_line_ends(row).split(',').collect::<Vec<_>>(), None, features)
}

fn parse(text: &str, features: &[String]) -> Result<Vec<TableRow>, String> {
    let separator = Separator::of(text, features.len());
    let text = separator.with_one_byte(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator.byte())
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let (mut places, mut rows) = (None, vec![]);
    for (record, index) in reader.records().zip(0..) {
        let record = record.map_err(|error| format!("is no table: {error}"))?;
        let fields: Vec<&str> = record.iter().collect();
        if index == 0 && names_a_feature(&fields, features) {
            places = Some(header(&fields, features)?);
            continue;
        }
        let line = line_of(&record, text.as_bytes());
        rows.push((line, values(&fields, places.as_deref(), features)));
    }
    Ok(rows)
}

fn same(name: &str, feature: &str) -> bool {
    name.trim().eq_ignore_ascii_case(feature)
}

fn names_a_feature(fields: &[&str], features: &[String]) -> bool {
    fields.iter().any(|field| features.iter().any(|feature| same(field, feature)))
}

/// The column of each feature.
fn header(fields: &[&str], features: &[String]) -> Result<Vec<usize>, String> {
    let place = |feature: &String| {
        let mut named = (0..).zip(fields).filter(|(_, field)| same(field, feature));
        match (named.next(), named.next()) {
            (Some((place, _)), None) => Ok(place),
            (None, _) => Err(format!(
                "has no column `{feature}` in its first line, which has to name all of: {}",
                features.join(", ")
            )),
            _ => Err(format!("has two columns `{feature}`")),
        }
    };
    features.iter().map(place).collect()
}

/// The values of the features among `fields`, which are at `places`, or in order where there are
/// none.
fn values(
    fields: &[&str],
    places: Option<&[usize]>,
    features: &[String],
) -> Result<Vec<f32>, String> {
    if places.is_none() && fields.len() != features.len() {
        return Err(format!(
            "has {} values, but {} are needed: {}",
            fields.len(),
            features.len(),
            features.join(", ")
        ));
    }
    let value = |(index, feature): (usize, &String)| {
        let column = places.map_or(index, |places| places.get(index).copied().unwrap_or(index));
        let field = fields.get(column).ok_or_else(|| format!("ends before column `{feature}`"))?;
        match field.trim() {
            "" => Ok(f32::NAN),
            field => field.parse().ok().filter(|value: &f32| value.is_finite()).ok_or_else(|| {
                format!(
                    "has `{field}` in column {} (`{feature}`), which is not a number that is finite \
                     in 32 bits; write numbers with a point, and leave missing ones empty",
                    column + 1
                )
            }),
        }
    };
    features.iter().enumerate().map(|(index, feature)| value((index, feature))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use proptest::prelude::*;

    use super::*;

    fn features() -> Vec<String> {
        ["MedInc", "HouseAge", "Latitude"].map(str::to_owned).to_vec()
    }

    fn good(text: &str) -> Vec<Vec<f32>> {
        parse(text, &features()).unwrap().into_iter().map(|(_, row)| row.unwrap()).collect()
    }

    #[test]
    fn columns_are_taken_by_their_names_in_any_order() {
        let expected = [vec![8.3, 41.0, 37.9], vec![7.0, 21.0, 37.8]];
        assert_eq!(good("8.3,41,37.9\n7,21,37.8\n"), expected);
        assert_eq!(good("Latitude;price;medinc;HouseAge\n37.9;1;8.3;41\n37.8;2;7;21\n"), expected);
        assert_eq!(good("MedInc HouseAge Latitude\n8.3 41 37.9\n7 21 37.8"), expected);
        assert!(good("8.3,,37.9\n")[0][1].is_nan());
    }

    #[test]
    fn only_names_make_a_header_and_what_is_wrong_is_named() {
        let first = |text: &str| parse(text, &features()).unwrap().remove(0);
        for (text, field) in [("NaN,41,3\n1,2,3\n", "NaN"), ("1e39,41,3\n", "1e39"), ("a,b,c", "a")]
        {
            let (line, problem) = first(text);
            let problem = problem.unwrap_err();
            assert!(
                line == 1 && problem.contains(&format!("`{field}` in column 1 (`MedInc`)")),
                "{problem}"
            );
        }
        let problem = first("8,3,41,37,9\n").1.unwrap_err();
        assert_eq!(problem, "has 5 values, but 3 are needed: MedInc, HouseAge, Latitude");
        let rows = parse("MedInc,HouseAge,Latitude\n1,2,3\n\n1,2\n", &features()).unwrap();
        assert_eq!(
            (rows[1].0, rows[1].1.as_ref().unwrap_err().as_str()),
            (4, "ends before column `Latitude`")
        );
        assert!(
            parse("MedInc,Age\n1,2\n", &features()).unwrap_err().contains("no column `HouseAge`")
        );
        assert!(
            parse("MedInc,MedInc,HouseAge,Latitude\n", &features()).unwrap_err().contains("two")
        );
        assert!(parse_row("1,2", &features()).unwrap_err().contains("3 are needed: MedInc"));
    }

    proptest! {
        #[test]
        fn no_table_makes_the_reader_panic(text in "[0-9a-z.,;|:\"\t\r\n -]{0,80}") {
            let _ = parse(&text, &features());
            let _ = parse(&format!("MedInc,HouseAge,Latitude\n{text}"), &features());
        }
    }
}
