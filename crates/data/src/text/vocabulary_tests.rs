//! Ids against Keras 2's, from `tests/golden/make_tokenizer.py`.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use proptest::prelude::*;

use super::*;

#[derive(Deserialize)]
struct Golden {
    fitted: Vec<String>,
    unseen: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    encoding: Encoding,
    words: Vec<String>,
    sequences: Vec<Vec<u32>>,
    rows: Vec<Vec<u32>>,
}

const ENCODING: Encoding = Encoding {
    vocabulary_size: 5,
    length: 4,
    pad: Side::Before,
    truncate: Side::Before,
    out_of_vocabulary: false,
    replace_line_breaks: true,
};

#[test]
fn ids_and_rows_are_those_of_keras() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../../../tests/golden/tokenizer.json")).unwrap();
    for case in golden.cases {
        let fitted = Vocabulary::fit(golden.fitted.iter().map(String::as_str), case.encoding);
        assert_eq!(fitted.words(), case.words);
        for (index, text) in golden.fitted.iter().chain(&golden.unseen).enumerate() {
            assert_eq!(fitted.ids(text), case.sequences[index], "{text}");
            let mut row = vec![u32::MAX; case.encoding.length];
            fitted.row_into(text, &mut row);
            assert_eq!(row, case.rows[index], "{text}");
        }
    }
}

#[test]
fn line_breaks_are_no_words_unless_asked_for() {
    let text = "Good.<br /><br />Bad<BR>film<br/>";
    let words = |replace_line_breaks| {
        let encoding = Encoding { replace_line_breaks, ..ENCODING };
        Vocabulary::fit([text], encoding).words().to_vec()
    };
    assert_eq!(words(true), ["good", "bad", "film"]);
    assert_eq!(words(false), ["br", "good", "bad", "film"]);
}

#[test]
fn a_text_without_a_known_word_is_an_error_unless_unknown_words_have_an_id() {
    let mut encoding = ENCODING;
    let fit = |encoding| Vocabulary::fit(["good bad"], encoding);
    assert_eq!(fit(encoding).row("Good!").unwrap(), [0, 0, 0, 1]);
    let error = fit(encoding).row("nothing known").unwrap_err().to_string();
    assert!(error.contains("`nothing known`"), "{error}");
    encoding.out_of_vocabulary = true;
    assert_eq!(fit(encoding).row("so good").unwrap(), [0, 0, 1, 2]);
    assert!(fit(encoding).row(" ... ").is_err());
}

#[test]
fn a_vocabulary_survives_json() {
    let fitted = Vocabulary::fit(["one two two", "three"], ENCODING);
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<Vocabulary>(&text).unwrap(), fitted);
}

#[test]
fn a_file_of_a_vocabulary_that_asks_for_too_much_is_an_error() {
    let fitted = Vocabulary::fit(["one two two", "three"], ENCODING);
    let text = serde_json::to_string(&fitted).unwrap();
    for (from, to, problem) in [
        (r#""length":4"#, r#""length":99999999999"#, "`encoding.length`"),
        (r#""vocabulary_size":5"#, r#""vocabulary_size":99999999999"#, "from 3 to 16777216"),
        // Three words and the id of padding.
        (r#""vocabulary_size":5"#, r#""vocabulary_size":3"#, "at least the number of words"),
    ] {
        assert!(text.contains(from), "{text}");
        let error = serde_json::from_str::<Vocabulary>(&text.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
}

proptest! {
    #[test]
    fn every_text_becomes_a_row_of_known_ids(
        texts: Vec<String>,
        unseen in "[a-c <>br/.!é]{0,40}",
        vocabulary_size in 3_usize..9,
        length in 1_usize..6,
        out_of_vocabulary: bool,
        pad in prop_oneof![Just(Side::Before), Just(Side::After)],
        truncate in prop_oneof![Just(Side::Before), Just(Side::After)],
    ) {
        let encoding =
            Encoding { vocabulary_size, length, pad, truncate, out_of_vocabulary, ..ENCODING };
        let fitted = Vocabulary::fit(texts.iter().map(String::as_str), encoding);
        for text in texts.iter().chain([&unseen]) {
            prop_assert!(fitted.ids(text).iter().all(|&id| (1..vocabulary_size as u32).contains(&id)));
            let row = fitted.row(text);
            prop_assert_eq!(row.is_err(), fitted.ids(text).is_empty());
            prop_assert!(row.is_ok_and(|row| row.len() == length) || fitted.ids(text).is_empty());
        }
    }
}
