//! Logs that are tables or JSON, in the style of each tool.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use converge_diagnosis::read::{Choices, ReadError, read_bytes};
use converge_diagnosis::{History, Log, Series};

fn read(name: &str, text: impl Into<Vec<u8>>) -> Log {
    read_bytes(name, text.into(), &Choices::default()).unwrap()
}

fn last(log: &Log) -> &History {
    log.runs.last().unwrap()
}

fn name(series: Option<&Series>) -> &str {
    series.map_or("", |series| &series.name)
}

fn train(run: &History) -> &Series {
    run.train_loss.as_ref().unwrap()
}

fn validation(run: &History) -> &Series {
    run.validation_loss.as_ref().unwrap()
}

const KERAS: &str = "epoch,accuracy,loss,lr,val_accuracy,val_loss\n\
    0,0.5,0.9,0.01,0.45,1.0\n1,0.6,0.7,0.01,0.55,0.8\n2,0.7,0.5,0.001,0.6,0.7\n";

#[test]
fn the_csv_logger_of_keras_is_read_by_its_names() {
    let log = read("training.log", KERAS);
    assert_eq!(log.format, "Keras CSVLogger");
    let run = last(&log);
    assert_eq!(run.x.as_deref(), Some("epoch"));
    assert_eq!((train(run).name.as_str(), validation(run).name.as_str()), ("loss", "val_loss"));
    assert_eq!(validation(run).y, [1.0, 0.8, 0.7]);
    let metric = run.metric.as_ref().unwrap();
    assert_eq!((metric.series.name.as_str(), metric.higher_is_better), ("val_accuracy", true));
    assert_eq!(run.train_metric.as_ref().unwrap().series.name, "accuracy");
    assert_eq!(run.learning_rate.as_ref().unwrap().y, [0.01, 0.01, 0.001]);
    assert!(log.notes.iter().any(|note| note.contains("`val_loss` as validation loss")));
}

#[test]
fn line_ends_separators_and_encodings_make_no_difference() {
    let plain = read("a.csv", KERAS);
    let decimal_commas = KERAS.replace(',', ";").replace('.', ",");
    let texts: Vec<Vec<u8>> = vec![
        KERAS.replace('\n', "\r\r\n").into(),
        KERAS.replace('\n', "\r\n").into(),
        KERAS.replace('\n', "\r").into(),
        KERAS.trim_end().into(),
        format!("\u{feff}{KERAS}").into(),
        KERAS.replace(',', "\t").into(),
        KERAS.replace(',', ";").into(),
        decimal_commas.into(),
        KERAS.replace(',', "  ").into(),
        KERAS.replace(',', "  ,   ").into(),
        KERAS.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        [vec![0xfe, 0xff], KERAS.encode_utf16().flat_map(u16::to_be_bytes).collect()].concat(),
    ];
    for text in texts {
        let said = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(read("a.csv", text).runs, plain.runs, "{said}");
    }
}

#[test]
fn names_in_chinese_characters_are_known_in_their_encoding() {
    let text = "轮,训练损失,验证损失\n1,0.9,1.0\n2,0.5,0.7\n3,0.4,0.6\n";
    let (bytes, _, _) = encoding_rs::GBK.encode(text);
    let log = read("a.csv", bytes.into_owned());
    assert_eq!(train(last(&log)).name, "训练损失");
    assert_eq!(validation(last(&log)).y, [1.0, 0.7, 0.6]);
}

#[test]
fn epochs_that_start_again_are_runs_of_their_own() {
    let log =
        read("a.csv", "epoch;acc;loss\n0;0.5;0.9\n1;0.6;0.8\n2;0.7;0.6\n0;0.5;0.95\n1;0.6;0.7\n");
    let names: Vec<&str> = log.runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, ["run 1 of 2", "run 2 of 2"]);
    assert_eq!(train(last(&log)).y, [0.95, 0.7]);
    let first = Choices { run: Some("1".to_owned()), ..Choices::default() };
    let text = "epoch,loss\n0,3\n1,2\n0,9\n1,8\n";
    let log = read_bytes("a.csv", text.into(), &first).unwrap();
    assert_eq!(train(last(&log)).y, [3.0, 2.0]);
}

#[test]
fn epochs_written_again_after_a_resume_replace_the_earlier() {
    let log = read("a.csv", "epoch,loss\n1,5\n2,4\n3,3.5\n4,3.6\n3,3\n4,2\n5,1\n");
    assert_eq!(train(last(&log)).x, [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(train(last(&log)).y, [5.0, 4.0, 3.0, 2.0, 1.0]);
}

#[test]
fn an_epoch_that_never_moves_does_not_count() {
    let log = read("a.csv", "epoch,loss,val_loss\n0,0.7,0.4\n0,0.3,0.2\n0,0.2,0.1\n");
    assert_eq!((log.runs.len(), last(&log).x.as_deref()), (1, None));
    assert_eq!(train(last(&log)).x, [0.0, 1.0, 2.0]);
}

#[test]
fn sparse_rows_of_lightning_are_gathered_by_epoch() {
    let csv = "epoch,lr-Adam,step,train_loss,val_acc,val_loss\n\
        ,0.003,0,,,\n0,,9,0.9,,\n0,,19,0.7,,\n0,,19,,0.5,1.0\n,0.002,20,,,\n1,,29,0.6,,\n1,,39,0.4,,\n1,,39,,0.6,0.8\n";
    let log = read("metrics.csv", csv);
    let run = last(&log);
    assert_eq!((run.x.as_deref(), train(run).x.clone()), (Some("epoch"), vec![0.0, 1.0]));
    assert_eq!(train(run).y, [0.8, 0.5]);
    assert_eq!(validation(run).y, [1.0, 0.8]);
    assert_eq!(run.learning_rate.as_ref().unwrap().y, [0.003, 0.002]);
}

#[test]
fn rows_of_a_single_epoch_count_by_step() {
    let log = read("metrics.csv", "epoch,loss,step\n0,2.3,49\n0,2.2,99\n0,2.1,149\n");
    assert_eq!(train(last(&log)).x, [49.0, 99.0, 149.0]);
}

#[test]
fn the_parts_of_a_detectors_loss_are_summed_and_the_weights_rate_is_read() {
    let csv = "  epoch, train/box_loss, train/cls_loss, train/dfl_loss, metrics/mAP50(B), metrics/mAP50-95(B), val/box_loss, val/cls_loss, val/dfl_loss, lr/pg0, lr/pg1, lr/pg2\n\
        1, 1.0, 2.0, 3.0, 0.2, 0.1, 1.5, 2.5, 3.5, 0.07, 0.003, 0.003\n2, 0.5, 1.0, 1.5, 0.3, 0.2, 1.0, 2.0, 3.0, 0.04, 0.006, 0.006\n";
    let log = read("results.csv", csv);
    let run = last(&log);
    assert_eq!(train(run).name, "train/box_loss+train/cls_loss+train/dfl_loss");
    assert_eq!((train(run).y.clone(), validation(run).y.clone()), (vec![6.0, 3.0], vec![7.5, 6.0]));
    assert_eq!(run.metric.as_ref().unwrap().series.name, "metrics/mAP50-95(B)");
    assert_eq!(name(run.learning_rate.as_ref()), "lr/pg1");
}

#[test]
fn the_markers_of_a_merge_conflict_are_skipped() {
    let csv = "epoch,loss\n0,3\n<<<<<<< HEAD\n1,2.5\n=======\n1,2\n2,1\n>>>>>>> other\n";
    let log = read("a.csv", csv);
    assert_eq!(train(last(&log)).y, [3.0, 2.0, 1.0]);
    assert!(log.notes.iter().any(|note| note.contains("merge")));
}

#[test]
fn an_export_of_wandb_holds_a_run_for_each_name() {
    let csv = "\"Step\",\"a - train/loss\",\"a - train/loss__MIN\",\"a - train/loss__MAX\",\"b - train/loss\",\"b - train/loss__MIN\",\"b - train/loss__MAX\"\n\
        \"0\",\"3\",\"3\",\"3\",\"2\",\"2\",\"2\"\n\"1\",\"2\",\"2\",\"2\",\"1\",\"1\",\"1\"\n\"2\",\"1\",\"1\",\"1\",\"\",\"\",\"\"\n";
    let log = read("wandb.csv", csv);
    let names: Vec<&str> = log.runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!((train(last(&log)).name.as_str(), train(last(&log)).y.len()), ("b - train/loss", 2));
    let one = Choices { train_loss: Some("a - train/loss".to_owned()), ..Choices::default() };
    assert_eq!(train(last(&read_bytes("wandb.csv", csv.into(), &one).unwrap())).y, [3.0, 2.0, 1.0]);
    let none = Choices { train_loss: Some("c".to_owned()), ..Choices::default() };
    assert!(read_bytes("wandb.csv", csv.into(), &none).is_err());
}

#[test]
fn a_trainer_state_counts_by_step_and_its_summary_is_no_loss() {
    let json = r#"{"epoch": 1.0, "log_history": [
        {"epoch": 0.3, "learning_rate": 2e-05, "loss": 0.9, "step": 10},
        {"epoch": 0.6, "learning_rate": 1e-05, "loss": NaN, "step": 20},
        {"epoch": 0.6, "eval_loss": 0.8, "eval_f1": 0.5, "eval_runtime": 2.0, "step": 20},
        {"epoch": 1.0, "learning_rate": 0.0, "loss": 0.5, "step": 30},
        {"epoch": 1.0, "step": 30, "train_loss": 0.7, "train_runtime": 9.0}], "max_steps": 30}"#;
    let log = read("trainer_state.json", json);
    let run = last(&log);
    assert_eq!((train(run).name.as_str(), train(run).x.clone()), ("loss", vec![10.0, 20.0, 30.0]));
    assert!(train(run).y[1].is_nan());
    assert_eq!(validation(run).x, [20.0]);
    assert_eq!(run.metric.as_ref().unwrap().series.name, "eval_f1");
}

#[test]
fn an_empty_trainer_state_has_no_run_and_says_why() {
    let log = read("trainer_state.json", r#"{"log_history": [], "max_steps": 135}"#);
    assert!(log.runs.is_empty() && log.notes.iter().any(|note| note.contains("empty")));
}

#[test]
fn histories_in_json_have_many_shapes() {
    let cases = [
        r#"{"loss": [3, 2, 1], "val_loss": [4, 3, 2]}"#,
        r#"{"history": {"loss": [3, 2, 1], "val_loss": [4, 3, 2]}, "lr": 0.1}"#,
        r#"{"train": {"loss": [3, 2, 1]}, "val": {"loss": [4, 3, 2]}}"#,
        r#"[{"loss": 3, "val_loss": 4}, {"loss": 2, "val_loss": 3}, {"loss": 1, "val_loss": 2}]"#,
        "{\"loss\": 3, \"val_loss\": 4}\n{\"loss\": 2, \"val_loss\": 3}\n{\"loss\": 1, \"val_loss\": 2}\n",
        r#"{"loss": {"0": 3, "1": 2, "2": 1}, "val_loss": {"0": 4, "1": 3, "2": 2}}"#,
        r#"{"1": {"loss": 3, "val_loss": 4}, "2": {"loss": 2, "val_loss": 3}, "3": {"loss": 1, "val_loss": 2}}"#,
        r#"{"epochs": [{"train": {"loss": 3}, "val": {"loss": "4"}}, {"train": {"loss": 2}, "val": {"loss": 3}}, {"train": {"loss": 1}, "val": {"loss": 2}}]}"#,
        r#"{"loss": [3, 2, 1], "val_loss": [4, 3, 2"#,
    ];
    for json in cases {
        let log = read("history.json", json);
        assert_eq!(train(last(&log)).y, [3.0, 2.0, 1.0], "{json}");
        assert_eq!(validation(last(&log)).y, [4.0, 3.0, 2.0], "{json}");
    }
}

#[test]
fn several_models_in_one_object_are_several_runs() {
    let json = r#"{"small": {"train_loss": [3, 2], "config": {"layers": 4}}, "large": {"train_loss": [2, 1]}}"#;
    let log = read("history.json", json);
    assert_eq!(
        log.runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(),
        ["small", "large"]
    );
}

#[test]
fn rows_of_validation_count_epochs_where_those_of_training_count_iterations() {
    let mut lines = String::new();
    for epoch in 1..=4 {
        for batch in [50, 100] {
            let step = (epoch - 1) * 100 + batch;
            lines += &format!(
                "{{\"lr\": 0.02, \"loss\": {}, \"epoch\": {epoch}, \"iter\": {step}, \"step\": {step}}}\n",
                500 - step
            );
        }
        lines += &format!("{{\"coco/bbox_mAP\": 0.{epoch}, \"step\": {epoch}}}\n");
    }
    let log = read("scalars.json", lines);
    let run = last(&log);
    assert_eq!(log.runs.len(), 1);
    assert_eq!(train(run).y.len(), 8);
    assert_eq!(run.metric.as_ref().unwrap().series.x, [100.0, 200.0, 300.0, 400.0]);
}

#[test]
fn the_user_may_choose_otherwise() {
    let choices = Choices {
        train_loss: Some("val_loss".to_owned()),
        x: Some("lr".to_owned()),
        ..Choices::default()
    };
    let log = read_bytes(
        "a.csv",
        KERAS.replace("lr", "wall").into(),
        &Choices { x: Some("wall".to_owned()), ..choices },
    )
    .unwrap();
    assert_eq!(
        (train(last(&log)).name.as_str(), last(&log).x.as_deref()),
        ("val_loss", Some("wall"))
    );
    let absent = Choices { metric: Some("auc".to_owned()), ..Choices::default() };
    let error = read_bytes("a.csv", KERAS.into(), &absent).unwrap_err();
    assert!(matches!(error, ReadError::NoSuchColumn { .. }));
    assert!(error.to_string().contains("`val_accuracy`"), "{error}");
}

#[test]
fn what_is_no_log_is_refused_with_a_sentence() {
    let pickle =
        read_bytes("history.json", b"\x80\x04\x95\x10\x00}q\x00.".to_vec(), &Choices::default());
    assert!(matches!(pickle, Err(ReadError::Unsafe { .. })));
    let yaml =
        read_bytes("a.yaml", b"a: !!python/object:x.Y\n  b: 1\n".to_vec(), &Choices::default());
    assert!(matches!(yaml, Err(ReadError::Unsafe { .. })));
    let junk: Vec<u8> = (0..=255).cycle().take(4000).collect();
    assert!(matches!(read_bytes("x", junk, &Choices::default()), Err(ReadError::NoLog { .. })));
    for text in ["", "\n \n", "epoch,loss\n", "name,city\na,b\n", "{}", "[]", "[1, 2", "null"] {
        let log = read("x", text);
        assert!(log.runs.iter().all(|run| train(run).y.len() <= 2), "{text}");
        assert!(!log.notes.is_empty(), "{text}");
    }
}

#[test]
fn zeros_at_the_end_and_values_that_are_none_are_said() {
    let log = read("a.csv", "epoch,loss,val_loss,acc\n0,1,1,nan\n1,0.5,0.6,nan\n2,inf,0,nan\n");
    let said = log.notes.join(" ");
    assert!(
        said.contains("exactly zero") && said.contains("not finite") && said.contains("`acc`"),
        "{said}"
    );
}
