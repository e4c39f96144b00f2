//! The real data sets, read from the folder that `CONVERGE_DATA` names.
//!
//! Known facts of the published files decide whether they are read right. Without the folder the
//! tests print why they do nothing.

#![allow(clippy::print_stderr)]

use std::path::PathBuf;
use std::time::Duration;

use converge_core::experiment::Experiment;
use converge_core::train::planned_length;
use converge_data::{
    DataSet, DataSettings, Inputs, LoadOptions, NoProgress, Origin, Parts, Preprocessing, Samples,
    Source, Targets, catalogue, kept_for_training,
};

/// Loads `name` from `CONVERGE_DATA`; `None`, with a printed reason, where it is not there.
fn load(name: &str, parts: Parts) -> Option<DataSet> {
    let options = options()?;
    let mut settings =
        DataSettings::all().into_iter().find(|settings| settings.name() == name).unwrap();
    settings.set_source(Source::Real).unwrap();
    let published = settings.published().unwrap();
    if published.locate(options.directory.as_deref().unwrap()).is_none() {
        eprintln!("skipped: CONVERGE_DATA holds no {name}");
        return None;
    }
    Some(settings.load(parts, &options, &mut NoProgress).unwrap())
}

fn options() -> Option<LoadOptions> {
    let Some(directory) = std::env::var_os("CONVERGE_DATA") else {
        eprintln!("skipped: CONVERGE_DATA is not set");
        return None;
    };
    Some(LoadOptions {
        replaces_path: false,
        directory: Some(PathBuf::from(directory)),
        cache: std::env::temp_dir().join("converge-no-cache"),
        mirror: Some("http://127.0.0.1:9".to_owned()),
        timeout: Duration::from_secs(1),
    })
}

fn bytes(samples: &Samples) -> &[u8] {
    match &samples.inputs {
        Inputs::Bytes(bytes) => bytes,
        _ => &[],
    }
}

fn classes(samples: &Samples) -> &[u32] {
    match &samples.targets {
        Targets::Classes(classes) => classes,
        Targets::Values(_) => &[],
    }
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    values.sum::<f64>() / count
}

#[test]
fn mnist_has_its_published_labels_and_mean() {
    let Some(data) = load("mnist", Parts::Both) else { return };
    assert_eq!((data.training.len(), data.test.len()), (60_000, 10_000));
    // torchvision.datasets.MNIST: targets[:10] of both splits.
    assert_eq!(classes(&data.training)[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(classes(&data.test)[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    // The constant 0.1307 that PyTorch's MNIST example normalises with.
    let mean = mean(bytes(&data.training).iter().map(|&byte| f64::from(byte) / 255.0));
    assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
    assert_eq!(data.origin, Origin::Real);
    assert_eq!(data.files.len(), 4);
    assert!(data.files.iter().all(|file| file.official != Some(false)), "{:?}", data.files);
}

#[test]
fn cifar10_has_its_published_labels_and_upright_images() {
    let Some(data) = load("cifar10", Parts::Training) else { return };
    assert_eq!((data.training.len(), data.test.len()), (50_000, 0));
    assert_eq!(classes(&data.training)[..10], [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]);
    assert!(
        (0..10)
            .all(|class| classes(&data.training).iter().filter(|&&c| c == class).count() == 5000)
    );
    // The mean of an area of a channel of an image.
    let area = |image: usize, channel: usize, rows: std::ops::Range<usize>| {
        let plane = &bytes(&data.training)[(image * 3 + channel) * 1024..][..1024];
        mean(plane[rows.start * 32..rows.end * 32].iter().copied().map(f64::from))
    };
    // Image 8 is a ship under a blue sky, image 12 a horse between sky and grass.
    assert!(area(8, 2, 0..8) > area(8, 0, 0..8) + 30.0);
    assert!(area(12, 2, 0..6) > area(12, 1, 0..6) && area(12, 1, 0..6) > area(12, 0, 0..6));
    assert!(area(12, 1, 26..32) > area(12, 2, 26..32) + 30.0);
    // Image 21 is a black frog on red cloth.
    assert!(area(21, 0, 0..32) > area(21, 1, 0..32) + 100.0);
    // torchvision's constants for CIFAR-10, the means of the channels.
    for (channel, expected) in [0.4914, 0.4822, 0.4465].into_iter().enumerate() {
        let images = bytes(&data.training).chunks_exact(3 * 1024);
        let channel = images.flat_map(|image| &image[channel * 1024..][..1024]);
        let mean = mean(channel.map(|&byte| f64::from(byte) / 255.0));
        assert!((mean - expected).abs() < 2e-3, "{mean} is not {expected}");
    }
}

#[test]
fn the_test_split_of_cifar10_comes_alone() {
    let Some(data) = load("cifar10", Parts::Test) else { return };
    assert_eq!((data.training.len(), data.test.len()), (0, 10_000));
    assert_eq!(classes(&data.test)[..10], [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
    assert_eq!(data.class_names[3], "cat");
    assert_eq!(data.files.len(), 1);
}

#[test]
fn imdb_has_its_published_reviews_and_the_most_frequent_words_of_keras() {
    let Some(mut data) = load("imdb", Parts::Both) else { return };
    assert_eq!(data.class_names, ["neg", "pos"]);
    for samples in [&data.training, &data.test] {
        assert_eq!(samples.len(), 25_000);
        assert_eq!(classes(samples).iter().sum::<u32>(), 12_500);
    }
    assert!(data.files.iter().all(|file| file.official == Some(true)), "{:?}", data.files);
    let Inputs::Texts { encoding, .. } = &mut data.training.inputs else { panic!() };
    encoding.replace_line_breaks = false;
    let fitted = Preprocessing::fit(&data.training);
    // Numbers 1 to 20 of keras.datasets.imdb.get_word_index().
    let expected = "the and a of to is br in it i this that was as for with movie but film on";
    assert_eq!(fitted.vocabulary().unwrap().words()[..20].join(" "), expected);
}

#[test]
fn movielens_has_its_published_ratings_and_titles() {
    let Some(data) = load("movielens", Parts::Both) else { return };
    assert_eq!((data.training.len(), data.test.len()), (80_000, 20_000));
    let stars =
        [&data.training, &data.test].into_iter().flat_map(|samples| match &samples.targets {
            Targets::Values(values) => values.as_slice(),
            Targets::Classes(_) => &[],
        });
    // awk '{ s += $3 } END { print s / NR }' u.data
    assert!((mean(stars.copied().map(f64::from)) - 3.529_86).abs() < 1e-5);
    let Inputs::Pairs(pairs) = &data.training.inputs else { panic!() };
    // u.info: 943 users and 1682 items, some of which are in the test split only.
    assert_eq!((pairs.catalogue.users.len(), pairs.catalogue.items.len()), (943, 1682));
    let Preprocessing::Ratings(index) = Preprocessing::fit(&data.training) else { panic!() };
    assert_eq!((index.users(), index.items()), (943, 1650));
    assert_eq!(index.title(index.item("242").unwrap()), Some("Kolya (1996)"));
    // User 196 has rated 39 films in all.
    assert_eq!(index.unrated("196").len(), 1650 - 39);
}

#[test]
fn ants_and_bees_have_their_published_images() {
    let Some(data) = load("hymenoptera", Parts::Both) else { return };
    assert_eq!(data.class_names, ["ants", "bees"]);
    let bees = |samples: &Samples| classes(samples).iter().sum::<u32>();
    // The archive's one gif is an image here, which torchvision's `ImageFolder` leaves out.
    assert!([244, 245].contains(&data.training.len()));
    assert_eq!((data.test.len(), bees(&data.training), bees(&data.test)), (153, 121, 83));
    assert_eq!(data.test.shape, [3, 224, 224]);
}

#[test]
fn housing_has_the_moments_of_scikit_learn() {
    let Some(data) = load("housing", Parts::Both) else { return };
    assert_eq!((data.training.len(), data.test.len()), (16_512, 4_128));
    // fetch_california_housing(as_frame=True).frame.mean(), in the order of the features.
    let expected = [
        3.870_671,
        28.639_486,
        5.429_000,
        1.096_675,
        1_425.476_744,
        3.070_655,
        35.631_861,
        -119.569_704,
    ];
    let values: Vec<f32> = [&data.training, &data.test]
        .into_iter()
        .flat_map(|samples| match &samples.inputs {
            Inputs::Floats(values) => values.clone(),
            _ => Vec::new(),
        })
        .collect();
    for (feature, expected) in expected.into_iter().enumerate() {
        let mean = mean(values.iter().skip(feature).step_by(8).copied().map(f64::from));
        assert!((mean / expected - 1.0).abs() < 1e-4, "{mean} is not {expected}");
    }
    let targets =
        [&data.training, &data.test].into_iter().flat_map(|samples| match &samples.targets {
            Targets::Values(values) => values.as_slice(),
            Targets::Classes(_) => &[],
        });
    let mean = mean(targets.copied().map(f64::from));
    assert!((mean - 2.068_558).abs() < 1e-4, "{mean}");
}

#[test]
fn verifying_reads_a_data_set_whole() {
    let Some(options) = options() else { return };
    match catalogue::verify("mnist", &options, &mut NoProgress).unwrap() {
        None => eprintln!("skipped: CONVERGE_DATA holds no mnist"),
        Some(verified) => {
            assert_eq!((verified.training_samples, verified.test_samples), (60_000, 10_000));
            assert_eq!(verified.files.len(), 4);
        }
    }
}

#[test]
fn a_run_is_planned_with_the_published_number_of_samples() {
    let Some(options) = options() else { return };
    for name in ["mnist", "fashion-mnist", "cifar10", "housing"] {
        let Some(data) = load(name, Parts::Training) else { continue };
        let experiment = Experiment::load(name, &[]).unwrap();
        let planned = planned_length(&experiment, &options).unwrap().unwrap();
        let fraction = experiment.data.validation_fraction();
        assert_eq!(planned.training_samples, kept_for_training(data.training.len(), fraction));
        assert!(!planned.counted, "{name}");
    }
}
