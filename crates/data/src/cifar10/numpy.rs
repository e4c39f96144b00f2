//! Finds the arrays and lists of a CIFAR-10 batch in a pickle, as Python 2 and 3 and the versions
//! of `numpy` write them.

use super::pickle::{Id, Pickle, Value};

/// One pickled file of CIFAR-10.
#[derive(Debug, PartialEq)]
pub(super) struct Batch {
    /// Row-major.
    pub data: Vec<u8>,
    /// Images.
    pub rows: usize,
    /// Values per image.
    pub columns: usize,
    /// A class per image.
    pub labels: Vec<i64>,
}

/// Reads the dictionary with the keys `data` and `labels`, or says what is wrong with it.
pub(super) fn read_batch(contents: &[u8]) -> Result<Batch, String> {
    let pickle = Pickle::read(contents)?;
    let Value::Dict(entries) = pickle.root() else {
        return Err("it is no dictionary".to_owned());
    };
    let entry = |name: &str| {
        entries
            .iter()
            .find(|(key, _)| match pickle.get(*key) {
                Value::Text(key) => key == name,
                Value::Bytes(key) => key == name.as_bytes(),
                _ => false,
            })
            .map(|(_, value)| *value)
            .ok_or_else(|| format!("it has no key `{name}`"))
    };
    let array = array(&pickle, entry("data")?).ok_or("`data` is no array of unsigned bytes")?;
    let labels = labels(&pickle, entry("labels")?).ok_or("`labels` is no list of whole numbers")?;
    let data = bytes(&pickle, array.data).ok_or("`data` has no bytes")?;
    if array.rows.checked_mul(array.columns) != Some(data.len()) {
        return Err(format!(
            "`data` has {} bytes, not {} times {}",
            data.len(),
            array.rows,
            array.columns
        ));
    }
    Ok(Batch { data, rows: array.rows, columns: array.columns, labels })
}

struct Array {
    data: Id,
    rows: usize,
    columns: usize,
}

/// A row-major two-dimensional array of unsigned bytes.
fn array(pickle: &Pickle, id: Id) -> Option<Array> {
    let Value::Call { callee, arguments, state } = pickle.get(id) else { return None };
    let (shape, kind, data) = match (pickle.get(*callee), state) {
        // `_reconstruct(...)`, then the state `(version, shape, dtype, column-major, bytes)`.
        (Value::Global(module, name), Some(state))
            if name == "_reconstruct" && in_core(module, "multiarray") =>
        {
            let Value::Tuple(state) = pickle.get(*state) else { return None };
            let [_, shape, kind, column_major, data] = state[..] else { return None };
            match pickle.get(column_major) {
                Value::Bool(false) | Value::Int(0) => (shape, kind, data),
                _ => return None,
            }
        }
        // Protocol 5: `_frombuffer(bytes, dtype, shape, order)`.
        (Value::Global(module, name), None)
            if name == "_frombuffer" && in_core(module, "numeric") =>
        {
            let Value::Tuple(arguments) = pickle.get(*arguments) else { return None };
            let [data, kind, shape, order] = arguments[..] else { return None };
            match pickle.get(order) {
                Value::Text(order) if order == "C" => (shape, kind, data),
                _ => return None,
            }
        }
        _ => return None,
    };
    if !is_unsigned_byte(pickle, kind) {
        return None;
    }
    let Value::Tuple(shape) = pickle.get(shape) else { return None };
    let [rows, columns] = shape[..] else { return None };
    let size = |id| match pickle.get(id) {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    Some(Array { data, rows: size(rows)?, columns: size(columns)? })
}

/// `numpy.core` became `numpy._core` in its version 2.
fn in_core(module: &str, submodule: &str) -> bool {
    ["numpy.core.", "numpy._core."]
        .iter()
        .any(|core| module.strip_prefix(core).is_some_and(|rest| rest == submodule))
}

/// `numpy.dtype("u1", ...)`.
fn is_unsigned_byte(pickle: &Pickle, id: Id) -> bool {
    let Value::Call { callee, arguments, .. } = pickle.get(id) else { return false };
    let is_dtype = matches!(
        pickle.get(*callee),
        Value::Global(module, name) if module == "numpy" && name == "dtype"
    );
    let Value::Tuple(arguments) = pickle.get(*arguments) else { return false };
    is_dtype
        && arguments.first().is_some_and(|kind| match pickle.get(*kind) {
            Value::Text(kind) => kind == "u1",
            Value::Bytes(kind) => kind == b"u1",
            _ => false,
        })
}

fn labels(pickle: &Pickle, id: Id) -> Option<Vec<i64>> {
    let Value::List(items) = pickle.get(id) else { return None };
    let number = |id: &Id| match pickle.get(*id) {
        Value::Int(number) => Some(*number),
        _ => None,
    };
    items.iter().map(number).collect()
}

/// Bytes, also in the disguise that Python 3 gives them below protocol 3:
/// `_codecs.encode(text, "latin1")`.
fn bytes(pickle: &Pickle, id: Id) -> Option<Vec<u8>> {
    match pickle.get(id) {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::Call { callee, arguments, .. } => {
            let Value::Global(module, name) = pickle.get(*callee) else { return None };
            let Value::Tuple(arguments) = pickle.get(*arguments) else { return None };
            let [text, encoding] = arguments[..] else { return None };
            match (pickle.get(text), pickle.get(encoding)) {
                (Value::Text(text), Value::Text(encoding))
                    if module == "_codecs" && name == "encode" && encoding == "latin1" =>
                {
                    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
                }
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// The pickles that `tests/golden/cifar10/pickles.py` wrote, by name.
    fn golden() -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/cifar10");
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "pickle"))
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect()
    }

    #[test]
    fn pickles_of_every_protocol_and_of_both_numpys_read_alike() {
        // The formula of pickles.py.
        let pixel = |row, column| ((7 * row + 13 * column + column / 1024) % 256) as u8;
        let data = (0..2).flat_map(|row| (0..3072).map(move |column| pixel(row, column))).collect();
        let expected = Batch { data, rows: 2, columns: 3072, labels: vec![3, 8] };
        let golden = golden();
        assert_eq!(golden.len(), 9);
        for (name, contents) in golden {
            assert_eq!(read_batch(&contents).as_ref(), Ok(&expected), "{name}");
        }
    }

    #[test]
    fn a_truncated_pickle_is_an_error_at_every_length() {
        for (name, contents) in golden() {
            for length in (0..contents.len()).step_by(7) {
                assert!(read_batch(&contents[..length]).is_err(), "{name} cut to {length} bytes");
            }
        }
    }

    #[test]
    fn a_call_is_never_made_and_other_contents_are_named() {
        // pickle.dumps of an object whose __reduce__ is (os.system, ("exit 1",)), protocol 0.
        let attack = b"cposix\nsystem\n(Vexit 1\ntR.";
        assert_eq!(read_batch(attack).unwrap_err(), "it is no dictionary");
        let problem = |contents: &[u8]| read_batch(contents).unwrap_err();
        assert_eq!(problem(b"}."), "it has no key `data`");
        // {"data": 1, "labels": [1]} and {"data": os.system("exit 1"), "labels": [1]}
        let wrong = b"}(X\x04\0\0\0dataK\x01X\x06\0\0\0labels](K\x01eu.";
        assert_eq!(problem(wrong), "`data` is no array of unsigned bytes");
        let call = b"}(X\x04\0\0\0datacposix\nsystem\n(Vexit 1\ntRX\x06\0\0\0labels](K\x01eu.";
        assert_eq!(problem(call), "`data` is no array of unsigned bytes");
        // A persistent identifier, which only a program of its own could look up.
        assert!(problem(b"Pelsewhere\n.").contains("instruction 0x50"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn no_pickle_makes_the_reader_panic(
            which in 0_usize..9,
            changes in prop::collection::vec((0_usize..700, any::<u8>()), 1..12),
            noise: Vec<u8>,
        ) {
            let _ = read_batch(&noise);
            let (_, mut contents) = golden().swap_remove(which);
            // The instructions lie in front of and behind the pixels.
            let length = contents.len();
            for (place, value) in changes {
                let place = if place < 350 { place } else { length - (place - 349) };
                contents[place] = value;
            }
            let _ = read_batch(&contents);
        }
    }
}
