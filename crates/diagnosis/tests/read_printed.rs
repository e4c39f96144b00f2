//! Logs as programs print them, in the style of each tool.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use converge_diagnosis::read::{Choices, read_bytes};
use converge_diagnosis::{History, Log};

fn read(text: &str) -> Log {
    read_bytes("output.log", text.into(), &Choices::default()).unwrap()
}

/// Training and validation loss of the last run.
fn losses(log: &Log) -> (Vec<f64>, Vec<f64>) {
    let run = log.runs.last().unwrap();
    let values = |series: &Option<converge_diagnosis::Series>| {
        series.as_ref().map(|series| series.y.clone()).unwrap_or_default()
    };
    (values(&run.train_loss), values(&run.validation_loss))
}

fn places(log: &Log) -> Vec<f64> {
    log.runs.last().unwrap().train_loss.as_ref().unwrap().x.clone()
}

fn metric(run: &History) -> (&str, &[f64]) {
    let series = &run.metric.as_ref().unwrap().series;
    (&series.name, &series.y)
}

#[test]
fn keras_prints_bars_and_an_evaluation_at_the_end() {
    let mut text = "Model: \"sequential\"\nTotal params: 23860 (93.20 KB)\n".to_owned();
    for epoch in 1..=3 {
        text += &format!("Epoch {epoch}/3\n");
        for batch in [1, 2] {
            let bar = format!("{batch}/3 [==>...] - ETA: 0s - loss: 9.5 - accuracy: 0.1");
            text += &bar;
            text += &"\u{8}".repeat(bar.len());
            text += "\r";
        }
        text += &format!(
            "3/3 [======] - 0s 2ms/step - loss: 0.{} - accuracy: 0.5 - val_loss: 0.{} - val_accuracy: 0.4\n",
            9 - epoch,
            9 - epoch / 2
        );
    }
    text += "3/3 [======] - 0s 2ms/step - loss: 5.5 - accuracy: 0.5\nInfo:{\"loss\": \"5.5\"}\n";
    let log = read(&text);
    assert_eq!(losses(&log), (vec![0.8, 0.7, 0.6], vec![0.9, 0.8, 0.8]));
    assert_eq!(places(&log), [1.0, 2.0, 3.0]);
    assert_eq!(metric(&log.runs[0]).0, "val_accuracy");
}

#[test]
fn pytorchs_first_example_tests_after_every_epoch() {
    let mut text = String::new();
    for epoch in 1..=6 {
        for batch in [0, 640, 1280] {
            text += &format!(
                "Train Epoch: {epoch} [{batch}/60000 ({}%)]\tLoss: {epoch}.0\n",
                batch / 600
            );
        }
        text += &format!(
            "\nTest set: Average loss: 0.{epoch}, Accuracy: 9{epoch}00/10000 (9{epoch}%)\n\n"
        );
    }
    let log = read(&text);
    let (train, validation) = losses(&log);
    assert_eq!(train, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(validation, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    assert_eq!(metric(&log.runs[0]).1, [0.91, 0.92, 0.93, 0.94, 0.95, 0.96]);
}

#[test]
fn of_a_value_and_its_running_average_the_average_at_the_end_of_the_epoch_is_read() {
    let mut text = String::new();
    for epoch in 0..5 {
        text += &format!(
            "Epoch: [{epoch}][ 0/20]\tTime 0.5 ( 0.6)\tLoss 9.0e+00 (9.0e+00)\tAcc@1 1.0 (1.0)\n"
        );
        text += &format!(
            "Epoch: [{epoch}][10/20]\tTime 0.5 ( 0.6)\tLoss 8.0e+00 (7.{epoch}e+00)\tAcc@1 1.0 (2.0)\n"
        );
        text += &format!("Test: [ 0/2]\tLoss 6.0e+00 (5.{epoch}e+00)\tAcc@1 1.0 (3.0)\n");
    }
    assert_eq!(
        losses(&read(&text)),
        (vec![7.0, 7.1, 7.2, 7.3, 7.4], vec![5.0, 5.1, 5.2, 5.3, 5.4])
    );
}

#[test]
fn nanogpt_counts_training_and_validation_on_lines_of_their_own() {
    let mut text = "number of parameters: 123.59M\n".to_owned();
    for iter in 0..6 {
        if iter % 3 == 0 {
            text += &format!("step {iter}: train loss 4.{iter}, val loss 5.{iter}\n");
        }
        text += &format!("iter {iter}: loss 3.{iter}, time 306.32ms, mfu 31.20%\n");
    }
    let log = read(&text);
    let validation = log.runs[0].validation_loss.as_ref().unwrap();
    assert_eq!(
        (validation.x.as_slice(), validation.y.as_slice()),
        (&[0.0, 3.0][..], &[5.0, 5.3][..])
    );
    assert_eq!(places(&log), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn boosting_prints_its_iterations() {
    let xgboost = "[0]\ttrain-rmse:3\teval-rmse:4\n[1]\ttrain-rmse:2\teval-rmse:3\n[2]\ttrain-rmse:1\teval-rmse:2\n";
    let lightgbm = "[1]\ttraining's l2: 3\tvalid_1's l2: 4\n[2]\ttraining's l2: 2\tvalid_1's l2: 3\n[3]\ttraining's l2: 1\tvalid_1's l2: 2\n";
    let sets = "[0]\tvalidation_0-logloss:3\tvalidation_1-logloss:4\n[1]\tvalidation_0-logloss:2\tvalidation_1-logloss:3\n[2]\tvalidation_0-logloss:1\tvalidation_1-logloss:2\n";
    let catboost = "0:\tlearn: 3\ttest: 4\tbest: 4 (0)\ttotal: 2ms\tremaining: 4ms\n1:\tlearn: 2\ttest: 3\tbest: 3 (1)\ttotal: 2ms\tremaining: 2ms\n2:\tlearn: 1\ttest: 2\tbest: 2 (2)\ttotal: 2ms\tremaining: 0us\n";
    for text in [xgboost, lightgbm, sets, catboost] {
        assert_eq!(losses(&read(text)), (vec![3.0, 2.0, 1.0], vec![4.0, 3.0, 2.0]), "{text}");
    }
}

#[test]
fn lines_of_names_and_numbers_come_in_many_dresses() {
    let lines: [fn(usize, f64, f64) -> String; 14] = [
        |e, t, v| {
            format!("epoch {e}, train loss {t:.3}, train acc 0.5, test loss {v:.3}, test acc 0.5\n")
        },
        |e, t, v| {
            format!(
                "Epoch: {e:02} | Time: 0m 20s\n\tTrain Loss: {t:.3} | Train Acc: 60.0%\n\t Val. Loss: {v:.3} |  Val. Acc: 59.0%\n"
            )
        },
        |e, t, v| {
            format!(
                "2024-06-17 14:43:20,907 - INFO - Epoch {e}: train_loss={t:.3} val_loss={v:.3} lr=1e-3\n"
            )
        },
        |e, t, v| {
            format!("[{e}/9] train_loss: {t:.3} \u{1b}[32mvalid_loss: {v:.3}\u{1b}[0m 3.5s\n")
        },
        |e, t, v| format!("epoch {e}\r\nloss: {t:.3}\r\nvalidation loss: {v:.3}\r\n"),
        |e, t, v| {
            format!(
                "{{'epoch': {e}, 'train_loss': {t:.3}, 'eval_loss': {v:.3}, 'device': 'cuda:0'}}\n"
            )
        },
        |e, t, v| format!("Epoch {e} --> Train: loss {t:.3} acc 0.5 | Val: loss {v:.3} acc 0.4\n"),
        |e, t, v| {
            format!(
                "[host] 2020-01-01 00:00:00,123 (trainer:280) INFO: epoch={e} results: [train] loss={t:.3}, acc=0.5, [valid] loss={v:.3}, acc=0.4\n"
            )
        },
        |e, t, v| format!("Epoch {e}/9 loss: tensor({t:.3}, device='cuda:0') val_loss: {v:.3}\n"),
        |e, t, v| {
            format!(
                "Epoch {e}/9\n----------\ntrain Loss: {t:.3} Acc: 0.5\nval Loss: {v:.3} Acc: 0.4\n"
            )
        },
        |e, t, v| {
            format!(
                "Training Results - Epoch: {e}  Avg accuracy: 0.5 Avg loss: {t:.3}\nValidation Results - Epoch: {e}  Avg accuracy: 0.5 Avg loss: {v:.3}\n"
            )
        },
        |e, t, v| format!("Epoch {e} | Loss: train {t:.3}, val {v:.3} | Acc: train 0.5, val 0.4\n"),
        |e, t, v| {
            format!(
                "Epoch {e}, train_loss: {t:.3}, val_loss: {v:.3}\nValidation loss decreased (9.0 --> {v:.3}).  Saving model ...\nEarlyStopping counter: 1 out of 7\n"
            )
        },
        |e, t, v| {
            format!(
                " iteration {e:8}/  5000 | learning rate: 1.0E-06 | lm loss: {t:.6E} | grad norm: 5.0 |\n validation loss at iteration {e} | lm loss value: {v:.6E} | lm loss PPL: 3.3E+01 |\n"
            )
        },
    ];
    for line in lines {
        let text: String =
            (1..=5_u8).map(|e| line(e.into(), 6.0 - f64::from(e), 7.0 - f64::from(e))).collect();
        let (train, validation) = losses(&read(&text));
        assert_eq!(train, [5.0, 4.0, 3.0, 2.0, 1.0], "{text}");
        assert_eq!(validation, [6.0, 5.0, 4.0, 3.0, 2.0], "{text}");
    }
}

#[test]
fn tables_within_text_are_read_by_their_head() {
    let fastai = "Loading\nepoch     train_loss  valid_loss  accuracy  time    \n0         3.0    4.0    0.5  00:10     \n1         2.0    3.0    0.6  00:11     \n2         1.0    2.0    0.7  00:11     \ndone\n";
    assert_eq!(losses(&read(fastai)), (vec![3.0, 2.0, 1.0], vec![4.0, 3.0, 2.0]));
    let mut boxed = String::new();
    for count in 1..=4 {
        boxed += &format!(
            "---\n| rollout/ |   |\n|    ep_rew_mean     | {}     |\n| time/ |   |\n|    iterations      | {count}        |\n| train/ |   |\n|    loss            | 0.{count}     |\n---\n",
            20 + count
        );
    }
    let log = read(&boxed);
    assert_eq!(metric(&log.runs[0]), ("ep_rew_mean", &[21.0, 22.0, 23.0, 24.0][..]));
    assert_eq!(log.runs[0].metric.as_ref().unwrap().series.x, [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn names_that_stand_behind_their_numbers_are_darknets() {
    let text: String = (1..=4).map(|i| format!("Region 82 Avg IOU: -nan, Class: -nan,  count: 0\n {i}: 9.5, 1{i}.0 avg, 0.001000 rate, 0.08 seconds, 64 images\n")).collect();
    let log = read(&text);
    assert_eq!(losses(&log).0, [11.0, 12.0, 13.0, 14.0]);
    assert_eq!(log.runs[0].learning_rate.as_ref().unwrap().y, [0.001; 4]);
}

#[test]
fn where_only_a_bar_was_printed_its_refreshes_are_the_curve() {
    let text: String = (0..6)
        .map(|i| format!("\r{}%|██  | {i}/6 [00:01<00:05,  1.10it/s, loss={}.5]", 16 * i, 9 - i))
        .collect();
    let log = read(&text);
    assert_eq!(losses(&log).0, [9.5, 8.5, 7.5, 6.5, 5.5, 4.5]);
    assert!(log.notes.iter().any(|note| note.contains("refresh")));
}

#[test]
fn rows_of_two_runs_that_write_into_one_file_are_told_apart() {
    let mut text = String::new();
    for step in 1..=60 {
        text += &format!(
            "step {}: loss 1.{step:02}\nstep {}: loss 7.{step:02}\n",
            5000 + 10 * step,
            10 * step
        );
    }
    let log = read(&text);
    assert_eq!(log.runs.len(), 2);
    assert!(losses(&log).0.iter().all(|loss| *loss > 7.0) && losses(&log).0.len() == 60);
}

#[test]
fn text_without_a_curve_has_no_run_and_says_so() {
    for text in [
        "Traceback (most recent call last):\n  File \"train.py\", line 12, in <module>\nRuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB\n",
        "the nano editor has 3 buffers\n",
        "[2022-04-30 19:28:05,262][root][INFO] - nothing\n",
    ] {
        let log = read(text);
        assert!(log.runs.is_empty(), "{text}");
        assert!(log.notes.iter().any(|note| note.contains("no curve")));
    }
}

#[test]
fn text_that_a_shell_wrote_in_utf_16_is_read() {
    let text: String = (1..=4).map(|epoch| format!("Epoch {epoch}: loss 0.{epoch}\r\n")).collect();
    let bytes =
        [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    let log = read_bytes("log.txt", bytes, &Choices::default()).unwrap();
    assert_eq!(losses(&log).0, [0.1, 0.2, 0.3, 0.4]);
}

#[test]
fn batches_that_start_again_are_no_other_run() {
    let text: String = (0..12)
        .map(|line| format!("Batch {}/300, Loss: {}.5\n", 100 * (line % 3 + 1), 20 - line))
        .collect();
    let log = read(&text);
    assert_eq!((log.runs.len(), losses(&log).0.len()), (1, 12));
}

#[test]
fn a_closing_line_about_the_best_iteration_is_no_restart() {
    let mut text: String =
        (1..=9).map(|i| format!("[{i}0]\ttrain's l2: 0.{i}\tvalid_1's l2: 1.{i}\n")).collect();
    text += "Early stopping, best iteration is:\n[30]\ttrain's l2: 0.3\tvalid_1's l2: 1.3\n";
    assert_eq!(places(&read(&text)), [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]);
}
