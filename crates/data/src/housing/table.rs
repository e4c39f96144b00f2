//! Reads the table of California housing, with a header (`housing.csv`) or without
//! (`cal_housing.data`), and derives scikit-learn's features from its columns.

use crate::decode::decode;
use crate::{Inputs, Samples, Targets};

/// The columns, as `housing.csv` names them and as `cal_housing.data` orders them.
const COLUMNS: [&str; 9] = [
    "longitude",
    "latitude",
    "housing_median_age",
    "total_rooms",
    "total_bedrooms",
    "population",
    "households",
    "median_income",
    "median_house_value",
];
/// The one column with values missing.
const BEDROOMS: usize = 4;

/// The samples of a table, or what is wrong with it.
pub(super) fn parse(contents: &[u8]) -> Result<Samples, String> {
    let text = decode(contents)?;
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    let rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
        .into_records();
    let mut order = std::array::from_fn(|column| column);
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for (record, line) in rows.zip(1_usize..) {
        let record = record.map_err(|error| format!("is no table: {error}"))?;
        if line == 1 && record.iter().any(|name| name == COLUMNS[0]) {
            order = header(&record)?;
            continue;
        }
        let row =
            raw_row(&record, order).map_err(|problem| format!("has {problem} in row {line}"))?;
        let (features, target) =
            derive(&row).map_err(|problem| format!("has {problem} in row {line}"))?;
        inputs.extend(features);
        targets.push(target);
    }
    Ok(Samples {
        shape: vec![super::FEATURE_NAMES.len()],
        inputs: Inputs::Floats(inputs),
        targets: Targets::Values(targets),
    })
}

/// The place of each of [`COLUMNS`] below this header.
fn header(record: &csv::StringRecord) -> Result<[usize; 9], String> {
    let mut order = [0; 9];
    for (place, name) in order.iter_mut().zip(COLUMNS) {
        *place = record
            .iter()
            .position(|found| found == name)
            .ok_or_else(|| format!("has no column `{name}`"))?;
    }
    Ok(order)
}

/// The values of a record, in the order of [`COLUMNS`]; NaN for missing bedrooms.
fn raw_row(record: &csv::StringRecord, order: [usize; 9]) -> Result<[f64; 9], String> {
    let mut row = [0.0; 9];
    for (index, (value, place)) in row.iter_mut().zip(order).enumerate() {
        let name = COLUMNS[index];
        let field = record.get(place).ok_or_else(|| format!("no value for `{name}`"))?;
        *value = if field.is_empty() && index == BEDROOMS {
            f64::NAN
        } else {
            field
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or_else(|| format!("`{field}` for `{name}`"))?
        };
    }
    Ok(row)
}

/// scikit-learn's features, and its target, the median value in $100,000
/// (`sklearn/datasets/_california_housing.py`): rooms, bedrooms and people are divided by the
/// households.
fn derive(row: &[f64; 9]) -> Result<([f32; 8], f32), String> {
    let [longitude, latitude, age, rooms, bedrooms, population, households, income, value] = *row;
    if households <= 0.0 {
        return Err(format!("{households} for `households`"));
    }
    let features = [
        income,
        age,
        rooms / households,
        bedrooms / households,
        population,
        population / households,
        latitude,
        longitude,
    ];
    // Beyond what an `f32` holds, a value would become infinite; bedrooms may be missing.
    let largest = features.iter().chain([&value]).fold(0.0_f64, |most, v| most.max(v.abs()));
    if largest > f32::MAX.into() {
        return Err(format!("values that give {largest:e}, which is too large,"));
    }
    Ok((features.map(|feature| feature as f32), (value / 100_000.0) as f32))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,\
                          population,households,median_income,median_house_value,ocean_proximity\n";

    /// What `fetch_california_housing().data[0]` prints in scikit-learn's user guide.
    const FIRST: [f32; 8] =
        [8.3252, 41.0, 6.984_127, 1.023_809_5, 322.0, 2.555_555_6, 37.88, -122.23];

    fn floats(samples: &Samples) -> &[f32] {
        match &samples.inputs {
            Inputs::Floats(values) => values,
            _ => &[],
        }
    }

    #[test]
    fn the_features_are_those_of_scikit_learn() {
        let plain = "-122.230000,37.880000,41.000000,880.000000,129.000000,322.000000,126.000000,\
                     8.325200,452600.000000\n";
        let with_header = format!(
            "{HEADER}-122.23,37.88,41.0,880.0,129.0,322.0,126.0,8.3252,452600.0,NEAR BAY\n"
        );
        for text in [plain, &with_header] {
            let samples = parse(text.as_bytes()).unwrap();
            for (found, expected) in floats(&samples).iter().zip(FIRST) {
                assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
            }
            assert_eq!(samples.targets, Targets::Values(vec![4.526]));
        }
    }

    #[test]
    fn missing_bedrooms_become_nan_and_nothing_else_may_be_missing() {
        let row = |bedrooms, income| {
            parse(format!("{HEADER}1,2,3,4,{bedrooms},6,7,{income},9,INLAND\n").as_bytes())
        };
        let samples = row("", "8").unwrap();
        assert!(floats(&samples)[3].is_nan());
        assert!(floats(&samples).iter().enumerate().all(|(i, v)| i == 3 || v.is_finite()));
        let error = row("5", "").unwrap_err();
        assert!(error.contains("`median_income` in row 2"), "{error}");
        assert!(row("5", "inf").is_err());
    }

    #[test]
    fn broken_tables_are_named_by_row_and_column() {
        assert_eq!(parse(b"").unwrap_err(), "is empty");
        let error = parse(b"1,2,3,4,5,6,0,8,9\n").unwrap_err();
        assert_eq!(error, "has 0 for `households` in row 1");
        for row in ["1,2,3,4,5,6,1e-300,8,9", "1,2,3,4,5,6,7,1e300,9", "1,2,3,4,5,6,7,8,1e39"] {
            let error = parse(format!("1,2,3,4,5,6,7,8,9\n{row}\n").as_bytes()).unwrap_err();
            assert!(error.contains("too large, in row 2"), "{error}");
        }
        let error = parse(b"1,2,3,4,5,6,7,8,9\n1,2,3\n").unwrap_err();
        assert_eq!(error, "has no value for `total_rooms` in row 2");
        assert!(parse(b"longitude,latitude\n").unwrap_err().contains("`housing_median_age`"));
        assert!(parse(b"<html>").is_err());
    }

    proptest! {
        #[test]
        fn no_table_makes_the_reader_panic(contents: Vec<u8>, text in "[0-9.,\"e\n-]{0,80}") {
            let _ = parse(&contents);
            let _ = parse(text.as_bytes());
            let _ = parse(format!("{HEADER}{text}").as_bytes());
        }
    }
}
