//! Writes the corpora that the targets start from: small whole files of every kind.
//!
//!     cargo run --example make_corpus --features burn

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

fn main() {
    images();
    idx();
    cifar();
    archives();
    files();
    events();
    #[cfg(feature = "burn")]
    checkpoints();
}

/// Writes an input of `target`; its parts follow each other.
fn write(target: &str, name: &str, parts: &[&[u8]]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), parts.concat()).expect("a file");
}

/// A file of the repository.
fn repository(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect(path)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn images() {
    let colours =
        RgbaImage::from_fn(12, 9, |x, y| Rgba([20 * x as u8, 25 * y as u8, 7, 100 + x as u8]));
    let plain = DynamicImage::from(colours.clone()).into_rgb8();
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::Pnm,
    ] {
        let mut bytes = Cursor::new(vec![]);
        let transparent = matches!(format, ImageFormat::Png | ImageFormat::Gif);
        let image: DynamicImage =
            if transparent { colours.clone().into() } else { plain.clone().into() };
        image.write_to(&mut bytes, format).expect("an image");
        write("images", format.extensions_str()[0], &[&bytes.into_inner()]);
    }
    let mut grey = Cursor::new(vec![]);
    DynamicImage::from(plain)
        .into_luma16()
        .write_to(&mut grey, ImageFormat::Png)
        .expect("an image");
    write("images", "grey16.png", &[&grey.into_inner()]);
    write("images", "progressive.jpg", &[&repository("crates/data/tests/progressive.jpg")]);
}

/// A file of labels, whose length stands in front, and one of images.
fn idx() {
    let labels: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 3, 9];
    let pixels: Vec<u8> = (0..2 * 784).map(|place| (place % 251) as u8).collect();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28][..], &pixels].concat();
    write("idx", "plain", &[&[10], labels, &images]);
    let (small, zipped) = (gzip(labels), gzip(&images));
    write("idx", "gzipped", &[&[small.len() as u8], &small, &zipped]);
}

fn cifar() {
    let golden = "tests/golden/cifar10";
    for name in ["numpy2-protocol5", "numpy1-protocol4", "python2-protocol2"] {
        let whole = repository(&format!("{golden}/{name}.pickle"));
        write("cifar", name, &[&whole]);
    }
    let pixels: Vec<u8> = (0..3072).map(|place| (place % 251) as u8).collect();
    write("cifar", "binary", &[&[7], &pixels]);
}

fn archives() {
    let mut zipped = zip::ZipWriter::new(Cursor::new(vec![]));
    let deflated = zip::write::SimpleFileOptions::default();
    let stored = deflated.compression_method(zip::CompressionMethod::Stored);
    zipped.add_directory("set", deflated).expect("memory");
    for (name, options) in [("set/a", deflated), ("set/b", stored), ("../outside", stored)] {
        zipped.start_file(name, options).expect("memory");
        zipped.write_all(b"abcabcabcabcabcabc").expect("memory");
    }
    zipped.add_symlink("set/link", "/", deflated).expect("memory");
    write("archive", "zip", &[b"0", &zipped.finish().expect("memory").into_inner()]);

    let mut builder = tar::Builder::new(vec![]);
    for name in ["set/a", "set/b/c"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &b"abc"[..]).expect("memory");
    }
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "set/link", "/").expect("memory");
    let mut long = tar::Header::new_gnu();
    long.set_size(1);
    let name = format!("set/{}", "long/".repeat(30) + "name");
    builder.append_data(&mut long, name, &b"z"[..]).expect("memory");
    let tar = builder.into_inner().expect("memory");
    write("archive", "tgz", &[b"1", &gzip(&tar)]);
    write("archive", "tar", &[b"2", &tar]);
}

/// Files of the repository as they are, behind the number of their kind.
fn files() {
    let run = "crates/record/tests/linear";
    for (kind, name) in ["run.json", "epochs.csv", "steps.csv", "state.json", "preprocessing.json"]
        .into_iter()
        .enumerate()
    {
        let folder = if name == "state.json" { "/checkpoints/epoch-0003" } else { "" };
        let contents = repository(&format!("{run}{folder}/{name}"));
        write("run_directory", name, &[&[b'0' + kind as u8], &contents]);
    }
    let vocabulary = br#"4{"kind":"vocabulary","encoding":{"vocabulary_size":9,"length":3,"pad":"before","truncate":"after","out_of_vocabulary":true,"replace_line_breaks":true},"words":["film","good"]}"#;
    write("run_directory", "vocabulary.json", &[vocabulary]);
    let ratings = br#"4{"kind":"ratings","users":[{"id":"196","rated":[0]}],"items":[{"id":"242","title":"Kolya"},{"id":"3"}],"mean":3.5,"lowest":1.0,"highest":5.0}"#;
    write("run_directory", "ratings.json", &[ratings]);
    let normalize = br#"4{"kind":"normalize","mean":[0.4,0.5,0.6],"deviation":[0.2,0.2,0.2]}"#;
    write("run_directory", "normalize.json", &[normalize]);

    for name in ["linear", "cifar10", "imdb", "movielens", "transfer", "housing-batchnorm"] {
        let text = repository(&format!("configs/{name}.toml"));
        write("experiment", name, &[&text]);
    }
    let changes = b"\n--set\noptimizer.name=lion\nschedule.name=one_cycle\ntraining.epochs=3\n";
    write("experiment", "changed", &[&repository("configs/linear.toml"), changes]);

    write("weights", "layer.pth", &[b"0", &repository("tests/golden/layer.pth")]);
    let header = br#"{"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}}"#;
    let length = (header.len() as u64).to_le_bytes();
    write("weights", "linear.safetensors", &[b"1", &length, header, &[0; 32]]);
}

/// The messages of an event file, as PyTorch and as TensorFlow write scalars.
fn events() {
    let scalar = |tag: &[u8], step: u8, value: f32| {
        let summary = [&[0x0a, tag.len() as u8][..], tag, &[0x15], &value.to_le_bytes()].concat();
        let summary = [&[0x0a, summary.len() as u8][..], &summary].concat();
        let event = [&[0x10, step, 0x2a, summary.len() as u8][..], &summary].concat();
        [&[event.len() as u8][..], &event].concat()
    };
    let tags = [&b"loss/train"[..], b"loss/val"];
    let messages: Vec<Vec<u8>> =
        (1..9).flat_map(|step| tags.map(|tag| scalar(tag, step, 2.0 / f32::from(step)))).collect();
    write("logs", "events", &[b"1", &messages.concat()]);
}

/// The files of a checkpoint of a small run.
#[cfg(feature = "burn")]
fn checkpoints() {
    for (kind, name) in ["model.bpk", "optimizer.bpk", "state.json"].into_iter().enumerate() {
        let contents = converge_fuzz::checkpoint::file(name);
        write("checkpoint", name, &[&[b'0' + kind as u8], contents]);
    }
}
