//! Tables of numbers: rows to predict for, houses, ratings.

use converge_data::{
    DataSettings, HousingSettings, NoProgress, Parts, RatingsSettings, Source, parse_row, read_rows,
};

use super::input::{choose, options, write};

/// `0`: rows of a table and a typed row; `1`: California housing; `2`: ratings.
pub fn read(input: &[u8]) {
    let (kind, contents) = choose(input, 3);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(if kind == 1 { "housing/housing.csv" } else { "table.csv" });
    write(&path, contents);
    let settings = match kind {
        0 => {
            let features = ["MedInc", "HouseAge", "Latitude"].map(str::to_owned);
            let rows = read_rows(&path, &features).unwrap_or_default();
            assert!(rows.iter().flat_map(|(_, row)| row).all(|row| row.len() == features.len()));
            if let Ok(row) = std::str::from_utf8(contents) {
                let _ = parse_row(row, &features);
            }
            return;
        }
        1 => DataSettings::Housing(HousingSettings {
            source: Source::Real,
            ..HousingSettings::default()
        }),
        _ => DataSettings::Ratings(RatingsSettings {
            source: Source::Real,
            path: Some(path),
            ..RatingsSettings::default()
        }),
    };
    let options = options(folder.path());
    if let Ok(data) = settings.load(Parts::Both, &options, &mut NoProgress) {
        let preprocessing = settings.fit_preprocessing(&data.training);
        let _ = preprocessing.rows(&data.test, 0..data.test.len());
    }
}
