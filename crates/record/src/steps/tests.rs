#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Numbers with the digits that the file keeps of a norm.
fn norm() -> impl Strategy<Value = f64> {
    any::<f64>().prop_map(|value| format!("{:.6e}", value.abs()).parse().unwrap())
}

fn columns() -> impl Strategy<Value = Vec<Column>> {
    let measure = proptest::sample::select(&Measure::ALL[..]);
    vec((measure, "[a-z][a-z0-9_.]{0,12}"), 0..4).prop_map(|columns| {
        let numbered = columns.iter().enumerate().map(|(index, (measure, name))| Column {
            measure: *measure,
            part: format!("{name}{index}").into(),
        });
        numbered.collect()
    })
}

/// The columns of the gradients of `parameters`.
fn gradients_of(parameters: &[&str]) -> Vec<Column> {
    let column = |name: &&str| Column { measure: Measure::GradientNorm, part: (*name).into() };
    parameters.iter().map(column).collect()
}

fn row(columns: &[Column]) -> impl Strategy<Value = StepRow> + use<> {
    let columns = columns.to_vec();
    let counts = (1..1000_usize, 1..100_000_usize);
    let numbers = (any::<f64>(), any::<f64>(), 0..1_000_000_000_u32);
    let norms = (option::of(norm()), option::of(norm()), option::of(norm()), option::of(norm()));
    let parts = vec(option::of(norm()), columns.len());
    (counts, numbers, norms, parts).prop_map(move |(counts, numbers, norms, parts)| StepRow {
        epoch: counts.0,
        step: counts.1,
        loss: numbers.0,
        learning_rate: numbers.1,
        gradient_norm: norms.0,
        parameter_norm: norms.1,
        update_ratio: norms.2,
        gradient_cosine: norms.3,
        step_seconds: f64::from(numbers.2) / 1e6,
        parts: columns.iter().cloned().zip(parts).collect(),
    })
}

fn rows() -> impl Strategy<Value = (Vec<Column>, Vec<StepRow>)> {
    columns().prop_flat_map(|all| (vec(row(&all), 0..8), Just(all)).prop_map(|(r, all)| (all, r)))
}

/// The first `rows` rows, as a checkpoint of before there were checksums knows them.
fn first(rows: usize) -> StepsMark {
    StepsMark { rows, sha256: None }
}

fn write(path: &Path, parts: &[Column], kept: &StepsMark, rows: &[StepRow]) -> StepsMark {
    let mut writer = StepWriter::open(path, parts, kept).unwrap();
    for row in rows {
        writer.write(row).unwrap();
    }
    writer.sync().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // every file waits for the disk

    #[test]
    fn rows_that_are_written_are_read_back((parts, rows) in rows()) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("steps.csv");
        write(&path, &parts, &first(0), &rows);
        prop_assert_eq!(read_steps(&path).unwrap(), rows);
    }

    #[test]
    fn a_resumed_run_keeps_the_steps_before_its_checkpoint(
        (parts, rows) in rows(),
        kept in 0..8_usize,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (straight, resumed) =
            (directory.path().join("straight.csv"), directory.path().join("resumed.csv"));
        let kept = kept.min(rows.len());
        write(&straight, &parts, &first(0), &rows);
        write(&resumed, &parts, &first(0), &rows);
        write(&resumed, &parts, &first(kept), &rows[kept..]);
        prop_assert_eq!(fs::read(straight).unwrap(), fs::read(resumed).unwrap());
    }

    #[test]
    fn a_last_line_that_is_half_written_is_left_out((parts, rows) in rows(), cut in 1..20_usize) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("steps.csv");
        write(&path, &parts, &first(0), &rows);
        if let Some((_, whole)) = rows.split_last() {
            let text = fs::read_to_string(&path).unwrap();
            let last = text.lines().last().unwrap().len();
            fs::write(&path, &text[..text.len() - cut.min(last)]).unwrap();
            prop_assert_eq!(read_steps(&path).unwrap(), whole);
        }
    }
}

fn plain(step: usize, parameters: &[&str]) -> StepRow {
    StepRow {
        epoch: 1,
        step,
        loss: 0.5,
        learning_rate: 0.01,
        gradient_norm: Some(2.0),
        parameter_norm: None,
        update_ratio: Some(0.001),
        gradient_cosine: Some(-0.5),
        step_seconds: 0.25,
        parts: gradients_of(parameters).into_iter().map(|column| (column, Some(2.0))).collect(),
    }
}

#[test]
fn the_columns_are_those_that_the_module_describes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    let blank = StepRow { loss: f64::NAN, update_ratio: None, ..plain(2, &["w"]) };
    write(&path, &gradients_of(&["w"]), &first(0), &[plain(1, &["w"]), blank]);
    let expected = "\
        epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,step_seconds,\
        gradient_cosine,gradient_norm.w\n\
        1,1,0.5,0.01,2.000000e0,,1.000000e-3,0.250000,-5.000000e-1,2.000000e0\n\
        1,2,NaN,0.01,2.000000e0,,,0.250000,-5.000000e-1,2.000000e0\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert!(read_steps(&path).unwrap()[1].loss.is_nan());
}

#[test]
fn a_later_stage_with_more_parameters_leaves_their_columns_blank_so_far() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    write(&path, &gradients_of(&["head"]), &first(0), &[plain(1, &["head"])]);
    write(&path, &gradients_of(&["base", "head"]), &first(1), &[plain(2, &["base", "head"])]);
    let rows = read_steps(&path).unwrap();
    assert_eq!(rows[0].measured(Measure::GradientNorm, "base"), None);
    assert_eq!(rows[0].measured(Measure::GradientNorm, "head"), Some(2.0));
    assert_eq!(rows[1].measured(Measure::GradientNorm, "base"), Some(2.0));
}

#[test]
fn a_step_of_other_parameters_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    let mut writer = StepWriter::open(&path, &gradients_of(&["w"]), &first(0)).unwrap();
    let error = writer.write(&plain(7, &["v"])).unwrap_err().to_string();
    assert!(error.ends_with(
        "has the columns [\"gradient_norm.w\"], but step 7 measured [\"gradient_norm.v\"]"
    ));
}

#[test]
fn what_is_no_number_or_missing_is_an_error_that_shows_the_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    let said = |text: &str| {
        fs::write(&path, text).unwrap();
        read_steps(&path).unwrap_err().to_string()
    };
    let whole = format!("{COLUMNS}\n1,1,low,0.1,,,,0.1,\n");
    assert!(
        said(&whole).ends_with("in `1,1,low,0.1,,,,0.1,`, `loss` is `low`, which is no number")
    );
    assert!(said("epoch,step\n1,\n").ends_with("in `1,`, `step` is blank"));
    assert!(said("epoch\n1\n").ends_with("in `1`, there is no column `step`"));
}

/// Two rows, and the mark of a checkpoint after them; then one more.
fn marked(path: &Path) -> StepsMark {
    let mut writer = StepWriter::open(path, &gradients_of(&["head"]), &first(0)).unwrap();
    for step in [1, 2] {
        writer.write(&plain(step, &["head"])).unwrap();
    }
    let mark = writer.sync().unwrap();
    writer.write(&plain(3, &["head"])).unwrap();
    writer.flush().unwrap();
    mark
}

#[test]
fn the_rows_of_a_checkpoint_are_kept_whole_or_the_file_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    let mark = marked(&path);
    assert_eq!(mark.rows, 2);
    let whole = fs::read_to_string(&path).unwrap();
    let damages = [
        String::new(),
        whole.lines().take(2).collect::<Vec<_>>().join("\n"),
        whole
            .lines()
            .enumerate()
            .filter(|(at, _)| *at != 1)
            .map(|(_, line)| format!("{line}\n"))
            .collect(),
        whole.replace("1,2,0.5", "1,2,0.6"),
        whole.replace("learning_rate", "learning_rats"),
        whole[..whole.len() / 2].to_owned(),
    ];
    for damaged in damages {
        fs::write(&path, &damaged).unwrap();
        let said =
            StepWriter::open(&path, &gradients_of(&["head"]), &mark).unwrap_err().to_string();
        assert!(
            said.contains("does not hold the 2 rows that the run's checkpoint knows"),
            "{said}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged, "it is left as it is");
    }
    // What comes after them is not the checkpoint's.
    fs::write(&path, whole + "9,9,half").unwrap();
    let again = write(&path, &gradients_of(&["head"]), &mark, &[]);
    assert_eq!(again, mark);
    assert_eq!(read_steps(&path).unwrap().len(), 2);
}

#[test]
fn a_mark_holds_when_a_later_stage_adds_columns_and_when_it_takes_them_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    let mark = marked(&path);
    let later = gradients_of(&["base", "head"]);
    assert_eq!(write(&path, &later, &mark, &[]), mark);
    // Killed before the later stage had a checkpoint.
    assert_eq!(write(&path, &gradients_of(&["head"]), &mark, &[]), mark);
}

#[test]
fn a_file_that_is_gone_when_a_run_goes_on_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    let mark = marked(&path);
    fs::remove_file(&path).unwrap();
    assert_eq!(mark.find(&path).unwrap(), None);
    let new = write(&path, &gradients_of(&["head"]), &mark, &[plain(3, &["head"])]);
    assert_eq!((new.rows, read_steps(&path).unwrap()[0].step), (1, 3));
}

#[test]
fn a_file_that_is_deleted_or_replaced_while_it_is_written_is_put_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("steps.csv");
    let mut writer = StepWriter::open(&path, &[], &first(0)).unwrap();
    writer.write(&plain(1, &[])).unwrap();
    writer.sync().unwrap();
    fs::remove_file(&path).unwrap();
    writer.write(&plain(2, &[])).unwrap();
    writer.sync().unwrap();
    assert_eq!(read_steps(&path).unwrap().len(), 2);
    fs::rename(&path, directory.path().join("moved.csv")).unwrap();
    fs::write(&path, "another").unwrap();
    writer.write(&plain(3, &[])).unwrap();
    let mark = writer.sync().unwrap();
    assert_eq!((mark.rows, read_steps(&path).unwrap().len()), (3, 3));
    // Where the whole directory is gone, the error is that of the file.
    let gone = directory.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let mut writer = StepWriter::open(&gone.join("steps.csv"), &[], &first(0)).unwrap();
    fs::remove_dir_all(&gone).unwrap();
    let said = writer.sync().unwrap_err().to_string();
    assert!(said.starts_with("cannot write `") && said.contains("steps.csv`"), "{said}");
}
