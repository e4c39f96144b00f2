//! California housing: 20,640 districts of the 1990 census (Pace and Barry, 1997).
//!
//! The features and the target are those of scikit-learn's `fetch_california_housing`.

mod stand_in;
mod table;

use super::published::Obtained;
use super::split::split_test;
use super::{
    DataError, DataSet, DownloadProgress, HousingSettings, Layout, LoadOptions, Origin, Parts,
    PublishedFile, PublishedSet, Task, checksum, images,
};

pub(super) const TITLE: &str = "California housing";
pub(super) const PUBLISHED: Option<&PublishedSet> = Some(&FILES);

const FOLDERS: &[&str] =
    &["california-housing", "california_housing", "CaliforniaHousing", "cal_housing", "housing"];
/// Without a header and complete; preferred, as scikit-learn reads it.
const PLAIN: &str = "cal_housing.data";
/// With a header, and without 207 of the `total_bedrooms`.
const WITH_HEADER: &str = "housing.csv";

static FILES: PublishedSet = PublishedSet {
    title: TITLE,
    licence: "no licence stated; from StatLib, see https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.html",
    samples: Some(DISTRICTS),
    layouts: &[
        Layout { folders: FOLDERS, files: &[&[PLAIN]], unmistakable: true },
        Layout { folders: FOLDERS, files: &[&[WITH_HEADER]], unmistakable: true },
    ],
    files: &[PublishedFile {
        url: "https://ndownloader.figshare.com/files/5976036",
        path: "cal_housing.tgz",
        bytes: None,
        sha256: "aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
    }],
    folder: "CaliforniaHousing",
    archive: true,
};

/// The features, in scikit-learn's names and order: median income in $10,000, median house age in
/// years, rooms and bedrooms per household, people, people per household, and degrees.
const FEATURE_NAMES: [&str; 8] = [
    "MedInc",
    "HouseAge",
    "AveRooms",
    "AveBedrms",
    "Population",
    "AveOccup",
    "Latitude",
    "Longitude",
];

/// Districts in the whole data set.
const DISTRICTS: usize = 20_640;

pub(super) fn task(_settings: &HousingSettings) -> Task {
    Task::Regression
}

pub(super) fn input_shape(_settings: &HousingSettings) -> Vec<usize> {
    vec![FEATURE_NAMES.len()]
}

/// The table is small, so both parts come always.
pub(super) fn load(
    settings: &HousingSettings,
    _parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    let (samples, description, files, stand_in_reason, origin) =
        match FILES.obtain(settings.source, options, progress)? {
            Obtained::Folder(folder) => {
                let plain = folder.join(PLAIN);
                let path = if plain.is_file() { plain } else { folder.join(WITH_HEADER) };
                let (contents, file) = checksum::read(&path, FILES.files)?;
                let samples = table::parse(&contents)
                    .map_err(|problem| DataError::corrupt(&path, problem))?;
                if samples.len() != DISTRICTS {
                    let problem =
                        format!("has {} districts, but there are {DISTRICTS}", samples.len());
                    return Err(DataError::corrupt(&path, problem));
                }
                let description = format!("{TITLE} from {}", path.display());
                (samples, description, vec![file], None, Origin::Real)
            }
            Obtained::StandIn(reason) => {
                let description =
                    format!("synthetic stand-in for {TITLE}: {DISTRICTS} drawn districts");
                let origin = Origin::SyntheticStandIn;
                (stand_in::draw(DISTRICTS), description, Vec::new(), reason, origin)
            }
        };
    let (training, test) = split_test(&samples, settings.test_fraction, settings.split_seed)?;
    Ok(DataSet {
        title: if origin == Origin::Real { TITLE.into() } else { format!("{TITLE} (synthetic)") },
        origin,
        description,
        stand_in_reason,
        files,
        class_names: Vec::new(),
        feature_names: images::owned(&FEATURE_NAMES),
        training,
        test,
    })
}
