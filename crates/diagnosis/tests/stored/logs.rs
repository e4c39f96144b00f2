//! Small logs, in the manner of many tools and people.

use std::fmt::Write as _;

/// `row` of each of 0, 1, … `n - 1`.
fn rows(n: u32, row: impl Fn(u32) -> String) -> String {
    (0..n).map(row).collect()
}

/// A loss that falls from 2, two digits.
fn loss(t: u32) -> String {
    format!("{:.2}", 2.0 / f64::from(t + 1))
}

/// Names and contents.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let named = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
    let mut all: Vec<(String, Vec<u8>)> = TABLES.iter().map(named).collect();
    all.extend(JSON.iter().map(named));
    all.extend(PRINTED.iter().map(named));
    all.extend(longer().into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())));
    all
}

const TABLES: &[(&str, &str)] = &[
    (
        "keras.csv",
        "epoch,accuracy,loss,lr,val_accuracy,val_loss\n0,0.5,0.9,0.1,0.4,1.0\n1,0.6,0.7,0.1,0.5,0.8\n2,0.7,0.6,0.01,0.55,0.75\n",
    ),
    ("decimal_commas.csv", "\u{feff}Epoche;loss;val_loss\n1;0,9;1,0\n2;0,7;\n3;0,6;0,75\n"),
    ("tabs.tsv", "epoch\ttrain\tval\n1\t0.9\t1.0\n2\t0.7\t0.8\n3\t0.6\t0.7\n"),
    ("blanks.txt", "# epoch loss val_loss\n1 0.9 1.0\n\n2 0.7 0.8\n3 0.6 0.7\n"),
    ("numbers_alone.txt", "1 0.9 1.0\n2 0.7 0.8\n3 0.6 0.7\n4 0.5 0.65\n"),
    ("numbers_alone.csv", "0.9,1.0\n0.7,0.8\n0.6,0.7\n"),
    ("rising_steps.csv", "100,0.9,5\n200,0.7,4\n200,0.6,9\n300,0.6,2\n"),
    (
        "preamble.csv",
        "Experiment: resnet\nstarted on Monday\nepoch,loss,val_loss\n1,0.9,1.0\n2,0.7,0.8\n3,0.6,0.7\n",
    ),
    ("one_column.csv", "loss\n0.9\n0.7\n0.6\n"),
    ("one_column_of_what.csv", "value\n0.9\n0.7\n0.6\n"),
    ("head_alone.csv", "epoch,loss,val_loss\n"),
    (
        "results.txt",
        concat!(
            "   0/2   3.9G  0.11  0.08  0.03  0.22  41  640  0.1  0.2  0.05  0.02  0.10  0.07  0.03\n",
            "   1/2   3.9G  0.10  0.07  0.02  0.19  40  640  0.2  0.3  0.10  0.05  0.09  0.07  0.02\n",
            "   2/2   3.9G  0.09  0.06  0.02  0.17  43  640  0.3  0.4  0.20  0.10  0.08  0.06  0.02\n",
        ),
    ),
    (
        "merge.csv",
        "epoch,loss\n1,0.9\n<<<<<<< HEAD\n2,0.7\n||||||| base\n2,0.75\n=======\n2,0.71\n>>>>>>> other\n3,0.6\n",
    ),
    (
        "two_heads.csv",
        "epoch,loss\n1,0.9\n2,0.7\nepoch,loss,val_loss\n1,0.8,0.9\n2,0.6,0.8\n3,0.5,0.7\n",
    ),
    ("twice_the_name.csv", "epoch,loss,loss\n1,0.9,1.0\n2,0.7,0.8\n3,0.6,0.7\n"),
    (
        "wandb.csv",
        concat!(
            "\"Step\",\"a - val_loss\",\"a - val_loss__MIN\",\"a - val_loss__MAX\",\"b - val_loss\",\"b - val_loss__MIN\"\n",
            "0,0.9,0.9,0.9,1.0,1.0\n1,0.7,0.7,0.7,0.8,0.8\n2,0.6,0.6,0.6,,\n",
        ),
    ),
    (
        "lightning.csv",
        concat!(
            "epoch,lr-Adam,step,train_loss_epoch,train_loss_step,val_acc,val_loss\n",
            ",0.001,0,,,,\n0,,9,,1.9,,\n0,,19,,1.5,,\n0,,24,,,0.5,1.6\n0,,24,1.7,,,\n",
            ",0.001,25,,,,\n1,,29,,1.3,,\n1,,39,,1.1,,\n1,,49,,,0.6,1.2\n1,,49,1.2,,,\n",
        ),
    ),
    (
        "lightning_full.csv",
        "epoch,step,created_at,loss,val_loss,acc\n0,9,1,0.9,1.0,0.1\n1,19,2,0.7,0.8,0.2\n2,29,3,0.6,0.7,0.3\n",
    ),
    (
        "results.csv",
        concat!(
            " epoch, train/box_loss, train/cls_loss, metrics/precision(B), metrics/mAP50(B), metrics/mAP50-95(B), val/box_loss, val/cls_loss, lr/pg0, lr/pg1, lr/pg2\n",
            " 1, 1.5, 2.5, 0.1, 0.05, 0.02, 1.6, 2.6, 0.1, 0.003, 0.003\n 2, 1.3, 2.0, 0.2, 0.10, 0.05, 1.4, 2.1, 0.07, 0.006, 0.006\n",
            " 3, 1.2, 1.8, 0.3, 0.20, 0.10, 1.3, 1.9, 0.04, 0.009, 0.009\n",
        ),
    ),
    (
        "chainer.csv",
        "epoch,iteration,main/loss,validation/main/loss\n1,100,0.9,1.0\n2,200,0.7,0.8\n3,300,0.6,0.7\n",
    ),
    (
        "batches_of_epochs.csv",
        "epoch,batch,loss\n1,0,2.0\n1,1,1.8\n1,2,1.6\n2,0,1.5\n2,1,1.4\n2,2,1.3\n3,0,1.2\n3,1,1.1\n3,2,1.05\n",
    ),
    (
        "batches_from_one.csv",
        "epoch,batch,loss\n1,1,2.0\n1,2,1.8\n2,1,1.6\n2,2,1.5\n3,1,1.4\n3,2,1.3\n",
    ),
    (
        "many_epochs_of_batches.csv",
        "epoch,iter,loss\n1,1,2.0\n1,2,1.8\n2,1,1.6\n2,2,1.5\n3,1,1.4\n3,2,1.3\n4,1,1.2\n4,2,1.1\n5,1,1.0\n5,2,0.9\n6,1,0.9\n6,2,0.8\n",
    ),
    (
        "steps_within_epochs.csv",
        "epoch,step,loss\n1,10,2.0\n1,20,1.8\n1,30,1.6\n2,40,1.5\n2,50,1.4\n2,60,1.3\n",
    ),
    ("epoch_as_fraction.csv", "epoch,step,loss\n0.5,10,2.0\n1.0,20,1.8\n1.5,30,1.6\n2.0,40,1.5\n"),
    ("epoch_that_stays.csv", "epoch,loss\n0,2.0\n0,1.8\n0,1.6\n0,1.5\n"),
    ("batches_alone.csv", "batch,loss\n0,2.0\n1,1.8\n0,1.6\n1,1.5\n"),
    ("index.csv", ",train_loss,test_loss\n0,2.0,2.1\n5,1.8,1.9\n10,1.6,1.8\n"),
    ("index_that_starts_again.csv", "index,loss\n0,2.0\n1,1.8\n0,1.6\n1,1.5\n"),
    ("no_counter.csv", "loss,val_loss,time\n2.0,2.1,3\n1.8,1.9,3\n1.6,1.8,3\n"),
    ("written_again.csv", "epoch,loss\n0,2.0\n1,1.8\n2,1.6\n3,1.5\n2,1.61\n3,1.51\n4,1.4\n5,1.3\n"),
    (
        "three_runs.csv",
        "epoch,loss\n0,2.0\n1,1.8\n2,1.6\n0,2.2\n1,1.9\n2,1.7\n1,1.8\n2,1.6\n3,1.5\n",
    ),
    (
        "objectives.csv",
        "iteration,train-rmse,test-rmse,test-mae\n0,5.0,5.1,4.0\n1,4.0,4.2,3.5\n2,3.0,3.5,3.0\n",
    ),
    (
        "boosting.csv",
        "round,validation_0-logloss,validation_1-logloss\n0,0.69,0.69\n1,0.6,0.62\n2,0.5,0.58\n",
    ),
    (
        "ranks.csv",
        "step,kl_loss,loss,mse_loss,d_loss,g_loss,best_loss\n1,0.1,2.0,1.9,0.5,0.6,2.0\n2,0.1,1.8,1.7,0.5,0.7,1.8\n3,0.2,1.6,1.4,0.4,0.8,1.6\n",
    ),
    (
        "rates.csv",
        "epoch,loss,lr0,lr1,learning_rate\n1,2.0,0.1,0.2,\n2,1.8,0.1,0.2,\n3,1.6,0.1,0.2,0.3\n",
    ),
    (
        "wrapped.csv",
        "epoch,loss,acc\n1,\"tensor(2.0, device='cuda:0')\",50%\n2,\"tensor(1.8, device='cuda:0')\",55.5%\n3,nan,60%\n",
    ),
    (
        "zeros_at_the_end.csv",
        "epoch,loss,val_loss,auc\n1,2.0,2.1,nan\n2,1.8,1.9,0.5\n3,1.6,nan,0.6\n4,0,1.8,0.7\n5,0,1.7,0.7\n",
    ),
    ("two_points.csv", "epoch,loss\n1,2.0\n2,1.8\n"),
    ("one_point.csv", "epoch,loss\n1,2.0\n"),
    (
        "other_names.csv",
        "Epoch,Cost,Val Cost,mIoU,val_mIoU\n1,2.0,2.1,0.1,0.15\n2,1.8,1.9,0.2,0.25\n3,1.6,1.8,0.3,0.35\n",
    ),
];

const JSON: &[(&str, &str)] = &[
    (
        "trainer_state.json",
        concat!(
            "{\"best_metric\": null, \"log_history\": [",
            "{\"epoch\": 0.5, \"loss\": 2.0, \"learning_rate\": 0.1, \"step\": 10}, {\"epoch\": 1.0, \"eval_loss\": 1.9, \"eval_accuracy\": 0.5, \"step\": 20}, ",
            "{\"epoch\": 1.0, \"loss\": 1.7, \"learning_rate\": 0.05, \"step\": 20}, {\"epoch\": 2.0, \"eval_loss\": 1.6, \"eval_accuracy\": 0.6, \"step\": 40}, ",
            "{\"epoch\": 2.0, \"loss\": NaN, \"learning_rate\": 0.0, \"step\": 40}, {\"train_runtime\": 3.5, \"train_loss\": 1.9, \"step\": 40}]}",
        ),
    ),
    (
        "history.json",
        "{\"loss\": [2.0, 1.8, 1.6], \"val_loss\": [2.1, 1.9, Infinity], \"lr\": [0.1, 0.1, 0.01], \"note\": \"ok\"}",
    ),
    (
        "rows.json",
        "[{\"epoch\": 1, \"train\": {\"loss\": 2.0}, \"val\": {\"loss\": 2.1}}, {\"epoch\": 2, \"train\": {\"loss\": \"1.8\"}, \"val\": {\"loss\": 1.9}}]",
    ),
    (
        "by_split.json",
        "{\"loss\": {\"train\": [2.0, 1.8, 1.6], \"val\": [2.1, 1.9, 1.8]}, \"acc\": {\"train\": [0.1, 0.2, 0.3], \"val\": [0.1, 0.15, 0.2]}}",
    ),
    (
        "splits_first.json",
        "{\"train\": {\"loss\": [2.0, 1.8], \"acc\": [0.1, 0.2]}, \"valid\": {\"loss\": [2.1, 1.9]}}",
    ),
    (
        "pandas.json",
        "{\"loss\": {\"0\": 2.0, \"1\": 1.8, \"2\": 1.6}, \"val_loss\": {\"0\": 2.1, \"1\": 1.9, \"2\": 1.8}}",
    ),
    (
        "by_epoch.json",
        "{\"epoch_1\": {\"loss\": 2.0}, \"epoch_2\": {\"loss\": 1.8}, \"epoch_5\": {\"loss\": 1.6}}",
    ),
    ("by_number.json", "{\"0\": {\"loss\": 2.0}, \"1\": {\"loss\": 1.8}, \"2\": {\"loss\": 1.6}}"),
    (
        "by_other_words.json",
        "{\"layer_1\": {\"loss\": 2.0}, \"layer_2\": {\"loss\": 1.8}, \"layer_3\": {\"loss\": 1.6}}",
    ),
    ("folds.json", "{\"1\": {\"loss\": [2.0, 1.8]}, \"2\": {\"loss\": [2.2, 1.7]}}"),
    (
        "models.json",
        "{\"small\": {\"loss\": [2.0, 1.8], \"val_loss\": [2.1, 1.9]}, \"large\": {\"history\": {\"loss\": [1.0, 0.8]}}}",
    ),
    (
        "pairs.json",
        "{\"train_loss\": [[10, 2.0], [20, 1.8], [30, 1.6]], \"lr\": [[0.1], [0.1], [0.1]]}",
    ),
    (
        "run-loss.json",
        "[[1700000000.0, 10, 2.0], [1700000001.0, 20, 1.8], [1700000002.0, 30, 1.6]]",
    ),
    ("numbers.json", "[2.0, 1.8, \"1.6\", null, 1.5]"),
    (
        "within.json",
        "{\"config\": {\"lr\": 0.1}, \"results\": {\"curve\": [{\"step\": 5, \"loss\": 2.0}, {\"step\": 10, \"loss\": 1.8}]}}",
    ),
    (
        "mmengine.json",
        concat!(
            "{\"seed\": 1}\n{\"mode\": \"train\", \"epoch\": 1, \"iter\": 50, \"lr\": 0.1, \"loss\": 2.0}\n{\"mode\": \"val\", \"epoch\": 1, \"iter\": 9, \"lr\": 0.1, \"loss\": 2.1}\n",
            "{\"mode\": \"train\", \"epoch\": 2, \"iter\": 50, \"lr\": 0.1, \"loss\": 1.8}\n{\"mode\": \"val\", \"epoch\": 2, \"iter\": 9, \"lr\": 0.1, \"loss\": 1.9}\n",
        ),
    ),
    (
        "phases.jsonl",
        "{\"phase\": \"Train\", \"step\": 1, \"loss\": 2.0}\n{\"phase\": \"test\", \"step\": 1, \"loss\": 2.1}\n{\"phase\": \"Train\", \"step\": 2, \"loss\": 1.8}\n{\"phase\": \"test\", \"step\": 2, \"loss\": 1.9}\n",
    ),
    (
        "names.jsonl",
        "{\"name\": \"val\", \"step\": 1, \"loss\": 2.0}\n{\"name\": \"val\", \"step\": 2, \"loss\": 1.8}\n",
    ),
    (
        "llama_factory.jsonl",
        "{\"current_steps\": 5, \"total_steps\": 15, \"loss\": 2.0, \"lr\": 0.1}\n{\"current_steps\": 10, \"total_steps\": 15, \"loss\": 1.8, \"lr\": 0.05}\n{\"current_steps\": 15, \"total_steps\": 15, \"loss\": 1.6}\n",
    ),
    (
        "detectron2.json",
        "{\"iteration\": 19, \"total_loss\": 2.0, \"loss_cls\": 1.0}\n{\"iteration\": 39, \"total_loss\": 1.8, \"loss_cls\": 0.9}\n",
    ),
    (
        "escapes.json",
        "{\"\\u006coss\": [2.0, 1.8], \"val\\\"\\n\\t\\r_loss\": [2.1, 1.9], \"bad\\u00zz\": [1, 2]}",
    ),
    ("cut.json", "{\"loss\": [2.0, 1.8, 1.6], \"val_loss\": [2.1, 1.9, 1.8"),
    (
        "cut_in_a_number.json",
        "[{\"epoch\": 1, \"loss\": 2.0}, {\"epoch\": 2, \"loss\": 1.8}, {\"epoch\": 3, \"loss\": 1.",
    ),
    (
        "cut_in_a_name.json",
        "[{\"epoch\": 1, \"loss\": 2.0}, {\"epoch\": 2, \"loss\": 1.8}, {\"epoch\": 3, \"lo",
    ),
    (
        "junk_between.jsonl",
        "{\"epoch\": 1, \"loss\": 2.0}\nwarning: slow\n{\"epoch\": 2, \"loss\": 1.8}\n{\"epoch\": oops}\n{\"epoch\": 3, \"loss\": 1.6}\n",
    ),
    ("scores_cut.json", "{\"accuracy\": [0.5, 0.6, 0.7"),
    ("nothing.json", "{\"name\": \"run\", \"layers\": [64, 32]}"),
    ("deep.json", "[[[[[[2.0]]]]]]"),
];

const PRINTED: &[(&str, &str)] = &[
    (
        "keras.log",
        concat!(
            "Epoch 1/3\n 1/2 [====>.....] - ETA: 3s - loss: 2.5 - acc: 0.1\r2/2 [==========] - 3s 5ms/step - loss: 2.0 - acc: 0.2 - val_loss: 2.1 - val_acc: 0.15\n",
            "Epoch 2/3\n2/2 [==========] - 3s 5ms/step - loss: 1.8 - acc: 0.3 - val_loss: 1.9 - val_acc: 0.25\n",
            "Epoch 3/3\n2/2 [==========] - 3s 5ms/step - loss: nan - acc: 0.4 - val_loss: 1.8 - val_acc: 0.35\n1/1 [==========] - 0s 2ms/step - loss: 1.7\nTest accuracy: 0.36\n",
        ),
    ),
    (
        "pytorch.log",
        concat!(
            "Namespace(batch_size=64, epochs=2, lr=0.01)\nTrain Epoch: 1 [0/60000 (0%)]\tLoss: 2.300000\nTrain Epoch: 1 [640/60000 (1%)]\tLoss: 2.000000\n\n",
            "Test set: Average loss: 1.9, Accuracy: 5000/10000 (50%)\n\nTrain Epoch: 2 [0/60000 (0%)]\tLoss: 1.8\nTrain Epoch: 2 [640/60000 (1%)]\tLoss: 1.6\n\n",
            "Test set: Average loss: 1.7, Accuracy: 6000/10000 (60%)\n",
        ),
    ),
    (
        "imagenet.log",
        concat!(
            "Epoch: [0][0/2]\tTime 0.5 (0.5)\tLoss 6.9 (6.9)\tAcc@1 0.1 (0.1)\nEpoch: [0][1/2]\tTime 0.5 (0.5)\tLoss 6.7 (6.8)\tAcc@1 0.3 (0.2)\nTest: [0/1]\tLoss 6.5 (6.5)\tAcc@1 0.4 (0.4)\n * Acc@1 0.4\n",
            "Epoch: [1][0/2]\tTime 0.5 (0.5)\tLoss 6.3 (6.3)\tAcc@1 0.5 (0.5)\nEpoch: [1][1/2]\tTime 0.5 (0.5)\tLoss 6.1 (6.2)\tAcc@1 0.7 (0.6)\nTest: [0/1]\tLoss 6.0 (6.0)\tAcc@1 0.8 (0.8)\n * Acc@1 0.8\n",
        ),
    ),
    (
        "nanogpt.log",
        concat!(
            "step 0: train loss 4.2, val loss 4.3\niter 0: loss 4.2, time 30000.00ms, mfu -100.00%\niter 10: loss 3.9, time 26.1ms, mfu 1.5%\niter 20: loss 3.5, time 26.1ms, mfu 1.5%\n",
            "step 25: train loss 3.4, val loss 3.6\niter 30: loss 3.3, time 26.1ms, mfu 1.5%\nstep 50: train loss 3.0, val loss 3.3\n",
        ),
    ),
    (
        "xgboost.log",
        "[0]\ttrain-rmse:5.0\teval-rmse:5.1\n[1]\ttrain-rmse:4.0\teval-rmse:4.2\n[2]\ttrain-rmse:3.0\teval-rmse:3.5\n[1]\ttrain-rmse:4.0\teval-rmse:4.2\n",
    ),
    (
        "catboost.log",
        "0:\tlearn: 0.69\ttest: 0.70\tbest: 0.70 (0)\ttotal: 10ms\tremaining: 1s\n1:\tlearn: 0.60\ttest: 0.65\tbest: 0.65 (1)\ttotal: 20ms\tremaining: 1s\n2:\tlearn: 0.50\ttest: 0.60\tbest: 0.60 (2)\ttotal: 30ms\tremaining: 0us\n\nbestTest = 0.60\n",
    ),
    (
        "darknet.log",
        " 1: 800.5, 800.5 avg loss, 0.000000 rate, 3.1 seconds, 64 images\n 2: 700.1, 790.4 avg loss, 0.000100 rate, 3.1 seconds, 128 images\n 3: 600.0, 771.3 avg loss, 0.001 rate, 3.1 seconds, 192 images\n",
    ),
    (
        "bars_alone.log",
        "Epoch 1:  50%|#####     | 1/2 [00:01<00:01, loss=2.0]\rEpoch 1: 100%|##########| 2/2 [00:02<00:00, loss=1.8]\rEpoch 2:  50%|#####     | 1/2 [00:01<00:01, loss=1.7]\rEpoch 2: 100%|##########| 2/2 [00:02<00:00, loss=1.6]\n",
    ),
    (
        "tqdm.log",
        "Epoch 1:  50%|#####     | 1/2 [00:01<00:01, loss=2.2]\rEpoch 1: 100%|##########| 2/2 [00:02<00:00, loss=2.0]\nEpoch 2: 100%|##########| 2/2 [00:02<00:00, loss=1.8]\nEpoch 3: 100%|##########| 2/2 [00:02<00:00, loss=1.6]\n",
    ),
    (
        "fastai.log",
        "epoch     train_loss  valid_loss  accuracy  time    \n0         2.0         2.1         0.5       00:31     \n1         1.8         1.9         0.6       00:30     \n2         1.6         1.8         0.7       00:30     \n",
    ),
    (
        "spacy.log",
        "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  SCORE \n---  ------  ------------  --------  ------  ------\n  0       0          0.00     30.50    0.10    0.00\n  1     200         10.20     20.10   50.20    0.50\n  2     400          8.10     10.50   60.10    0.60\n",
    ),
    (
        "baselines.log",
        "| rollout/           |          |\n|    ep_rew_mean     | 20.5     |\n| time/              |          |\n|    total_timesteps | 1000     |\n| train/loss         | 0.9      |\n-------\n|    ep_rew_mean     | 30.5     |\n|    total_timesteps | 2000     |\n| train/loss         | 0.7      |\n|    ep_rew_mean     | 40.5     |\n|    total_timesteps | 3000     |\n| train/loss         | 0.6      |\n",
    ),
    (
        "ultralytics.log",
        "      Epoch    GPU_mem   box_loss   cls_loss       Size\n        1/2      2.5G      1.5      2.5        640: 100%|###| 8/8 [00:05<00:00]\n      Epoch    GPU_mem   box_loss   cls_loss       Size\n        2/2      2.5G      1.3      2.1        640: 100%|###| 8/8 [00:05<00:00]\n",
    ),
    (
        "rules.log",
        "| epoch | train loss | val loss |\n|-------|------------|----------|\n| 1     | 2.0        | 2.1      |\n| 2     | 1.8        | 1.9      |\n| 3     | 1.6        | 1.8      |\n",
    ),
    (
        "dicts.log",
        "{'loss': 2.0, 'grad_norm': 1.5, 'learning_rate': 0.1, 'epoch': 1.0}\n{'eval_loss': 2.1, 'eval_runtime': 3.5, 'epoch': 1.0}\n{'loss': 1.8, 'grad_norm': 1.5, 'learning_rate': 0.05, 'epoch': 2.0}\n{'eval_loss': 1.9, 'eval_runtime': 3.5, 'epoch': 2.0}\n{'train_runtime': 10.5, 'train_loss': 1.9, 'epoch': 2.0}\n",
    ),
    (
        "headings.log",
        "Epoch 1\nTraining:\nloss: 2.0 acc: 0.1\nValidation set\nloss: 2.1 acc: 0.1\nEpoch 2\nTraining:\nloss: 1.8 acc: 0.2\nValidation set\nloss: 1.9 acc: 0.15\n",
    ),
    (
        "split_behind.log",
        "epoch 1 loss: train 2.0, val 2.1\nepoch 2 loss: train 1.8, val 1.9\nepoch 3 loss: train 1.6, val 1.8\n",
    ),
    (
        "lists.log",
        "Epoch 1 D: 0.065, 0.041 G: 1.5\nEpoch 2 D: 0.06, 0.04 G: 1.6\nEpoch 3 D: 0.05, 0.03 G: 1.7\n",
    ),
    (
        "cells.log",
        "[1,  2000] loss: 2.2\n[1,  4000] loss: 1.9\n[2,  2000] loss: 1.7\n[2,  4000] loss: 1.6\n",
    ),
    (
        "dates.log",
        "2021-08-12 19:06:36,123 - mmdet - INFO - Epoch [1][50/100]\tlr: 1.0e-03, eta: 1:02:03, time: 0.5, loss_cls: 1.1, loss: 2.0\n2021-08-12 19:07:36,123 - mmdet - INFO - Epoch [1][100/100]\tlr: 1.0e-03, loss_cls: 1.0, loss: 1.8\n2021-08-12 19:08:36,123 - mmdet - INFO - Epoch(val) [1][20]\tbbox_mAP: 0.1\n2021-08-12 19:09:36,123 - mmdet - INFO - Epoch [2][50/100]\tlr: 1.0e-03, loss_cls: 0.9, loss: 1.6\n",
    ),
    (
        "dashes.log",
        "Epoch 1 - loss: 2.0 - val_loss: 2.1 - top-1: 10.5%\nEpoch 2 - loss: 1.8 - val_loss: 1.9 - top-1: 20.5%\nEpoch 3 - loss: -inf - val_loss: -nan - top-1: 30.5%\n",
    ),
    (
        "iterations_of.log",
        "validation loss at iteration 100: 2.1\nvalidation loss at iteration 200: 1.9\nvalidation loss at iteration 300: 1.8\n",
    ),
    (
        "counts_behind.log",
        "Loss: 2.0\nEpoch 1 done\nLoss: 1.8\nEpoch 2 done\nLoss: 1.6\nEpoch 3 done\n",
    ),
    (
        "of_items.log",
        "Epoch 1: Train Accuracy: 50/100, loss 2.0\nEpoch 2: Train Accuracy: 60/100, loss 1.8\nEpoch 3: Train Accuracy: 75/100, loss 1.6\n",
    ),
    (
        "backspaces.log",
        "epoch 1 loss 9.9\u{8}\u{8}\u{8}2.0\n\u{1b}[32mepoch 2 loss 1.8\u{1b}[0m\nepoch 3 loss 1.6\r\n",
    ),
    (
        "restart.log",
        "epoch 0 loss 2.0\nepoch 1 loss 1.8\nepoch 2 loss 1.6\nTraceback (most recent call last):\nepoch 0 loss 2.1\nepoch 1 loss 1.7\nepoch 2 loss 1.5\nepoch 3 loss 1.4\n",
    ),
    (
        "rates.log",
        "lr 0.1\nepoch 1 loss 2.0 lr: 0.1\nepoch 2 loss 1.8 lr: 0.01\nReducing learning rate to 0.001\nepoch 3 loss 1.6 lr: 0.001\n",
    ),
    (
        "tensors.log",
        "epoch 1 loss: tensor(2.0, device='cuda:0', grad_fn=<NllLossBackward>)\nepoch 2 loss: tensor(1.8, device='cuda:0')\nepoch 3 loss: tensor(1.6)\n",
    ),
    ("a_score.log", "Finished. Accuracy: 0.91\n"),
    (
        "prose.log",
        "Loading 60000 images took 3.5 seconds.\nThe nano editor, version 2.9.3, was used at 12:30:01.\n",
    ),
];

/// Logs that need many rows to be told.
fn longer() -> Vec<(&'static str, String)> {
    let alternating = rows(30, |row| {
        let (run, epoch) = (row % 2, row / 2);
        format!("{},{}\n", epoch + 100 * run, loss(row))
    });
    let stub = format!(
        "epoch,loss\n0,3.0\n1,2.9\n{}",
        rows(12, |epoch| format!("{epoch},{}\n", loss(epoch)))
    );
    let mut nan_at_the_end = String::new();
    for epoch in 0..8 {
        writeln!(nan_at_the_end, "{epoch},{},{}", if epoch < 6 { "1.5" } else { "nan" }, epoch)
            .unwrap();
    }
    let components = rows(3, |iteration| {
        format!(
            "(epoch: {}, iters: 100, time: 0.5, data: 0.2) D_A: 0.2{iteration} G_A: 0.3 cycle_A: 1.5{iteration}\n",
            iteration + 1
        )
    });
    let two_axes = rows(40, |step| {
        format!("step {step} loss {}\n", loss(step))
            + &(if step % 10 == 9 {
                format!("Validation epoch {} loss 2.{step}\n", step / 10)
            } else {
                String::new()
            })
    });
    vec![
        ("alternating.csv", format!("step,loss\n{alternating}")),
        ("broken_start.csv", stub),
        ("nan_at_the_end.csv", format!("epoch,val_loss,time\n{nan_at_the_end}")),
        ("components.log", components),
        ("two_axes.log", two_axes),
        (
            "a_closing_line.log",
            rows(8, |epoch| format!("epoch {epoch} val loss {}\n", loss(epoch)))
                + "best epoch 3 val loss 0.5\nepoch 3 val loss 0.5\n",
        ),
        (
            "validation_by_epoch.jsonl",
            rows(12, |step| {
                let row = format!(
                    "{{\"mode\": \"train\", \"step\": {}, \"loss\": {}}}\n",
                    10 * step + 10,
                    loss(step)
                );
                let validation = format!(
                    "{{\"mode\": \"val\", \"step\": {}, \"loss\": 2.{step}}}\n",
                    step / 4 + 1
                );
                if step % 4 == 3 { row + &validation } else { row }
            }),
        ),
    ]
}
