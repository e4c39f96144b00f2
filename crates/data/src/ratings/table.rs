//! Reads tables of user, item and rating: `ml-100k`'s files and CSV of any origin.

use crate::decode::decode;
use crate::separator::{Separator, line_of};

/// What the columns may be called, in lower case and without `_`, `-` and spaces.
const COLUMNS: [(&str, &[&str]); 3] = [
    ("user", &["user", "userid", "reviewer", "reviewerid", "customer", "customerid"]),
    ("item", &["item", "itemid", "movie", "movieid", "book", "bookid", "product", "productid"]),
    ("rating", &["rating", "score", "stars", "value"]),
];

/// Calls `add` with the user, the item and the rating of every line, or says what is wrong with
/// the table. What stands between its columns is the answer.
///
/// Where the third value of the first line is no number, that line is a header that names the
/// columns; without a header they are user, item and rating. Further columns are not looked at.
/// Ratings must lie in `range`.
pub(crate) fn parse(
    contents: &[u8],
    range: [f32; 2],
    mut add: impl FnMut(&str, &str, f32),
) -> Result<Separator, String> {
    let text = decode(contents)?;
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    let separator = Separator::of(&text, COLUMNS.len());
    let text = separator.with_one_byte(&text);
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator.byte())
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut places = [0, 1, 2];
    let mut first = true;
    let mut record = csv::StringRecord::new();
    while rows.read_record(&mut record).map_err(|error| format!("is no table: {error}"))? {
        if std::mem::take(&mut first) && is_header(&record) {
            places = header(&record)?;
            continue;
        }
        let [user, item, rating] = fields(&record, places, range).map_err(|problem| {
            format!("has {problem} on line {}", line_of(&record, text.as_bytes()))
        })?;
        // `fields` has checked it.
        add(user, item, rating.parse().unwrap_or(f32::NAN));
    }
    Ok(separator)
}

fn is_header(record: &csv::StringRecord) -> bool {
    record.get(2).is_some_and(|field| field.parse::<f32>().is_err())
}

/// The places of user, item and rating below this header.
fn header(record: &csv::StringRecord) -> Result<[usize; 3], String> {
    let names: Vec<String> = record
        .iter()
        .map(|name| {
            name.to_lowercase().chars().filter(|character| !"_- ".contains(*character)).collect()
        })
        .collect();
    let mut places = [0; 3];
    for (place, (column, known)) in places.iter_mut().zip(COLUMNS) {
        *place = names.iter().position(|name| known.contains(&name.as_str())).ok_or_else(|| {
            format!(
                "has no number for the rating and no column `{column}` on line 1; name the \
                     columns user, item and rating, or leave the header out"
            )
        })?;
    }
    Ok(places)
}

/// The user, the item and the rating of a record.
fn fields(
    record: &csv::StringRecord,
    places: [usize; 3],
    [lowest, highest]: [f32; 2],
) -> Result<[&str; 3], String> {
    let mut fields = [""; 3];
    for ((field, place), (column, _)) in fields.iter_mut().zip(places).zip(COLUMNS) {
        *field = record
            .get(place)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| format!("no {column}"))?;
    }
    let rating = fields[2];
    match rating.parse::<f32>() {
        Ok(number) if (lowest..=highest).contains(&number) => Ok(fields),
        Ok(_) => Err(format!(
            "the rating {rating}, which is not from the lowest, {lowest}, to the highest, {highest},"
        )),
        Err(_) => Err(format!("the rating `{rating}`, which is not a number,")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn read(contents: &[u8]) -> Result<Vec<(String, String, f32)>, String> {
        let mut rows = vec![];
        parse(contents, [1.0, 5.0], |user, item, rating| {
            rows.push((user.to_owned(), item.to_owned(), rating));
        })?;
        Ok(rows)
    }

    fn row(user: &str, item: &str, rating: f32) -> (String, String, f32) {
        (user.to_owned(), item.to_owned(), rating)
    }

    #[test]
    fn tables_with_and_without_header_are_read() {
        // The first lines of u.data, and of the ratings.csv that MovieLens ships since 2016.
        let tabs = b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n";
        assert_eq!(read(tabs).unwrap(), [row("196", "242", 3.0), row("186", "302", 3.0)]);
        let header = b"userId,movieId,rating,timestamp\n1,1,4.0,964982703\n";
        assert_eq!(read(header).unwrap(), [row("1", "1", 4.0)]);
        let words = "\u{feff}stars;user_id;Item\n4.5;Zo\u{eb};\"Heat; 1995\"\r\n\r\n";
        assert_eq!(read(words.as_bytes()).unwrap(), [row("Zo\u{eb}", "Heat; 1995", 4.5)]);
    }

    #[test]
    fn broken_lines_are_named() {
        let problem = |text: &str| read(text.as_bytes()).unwrap_err();
        assert_eq!(problem(""), "is empty");
        assert_eq!(problem("1,2,3\n1,2\n"), "has no rating on line 2");
        assert_eq!(problem("1,2,3\n\n,2,3\n"), "has no user on line 3");
        assert!(problem("1,2,3\n1,2,6\n").contains("highest, 5, on line 2"));
        for rating in ["nan", "inf", "0.99", "x"] {
            assert!(problem(&format!("1,2,3\n1,2,{rating}")).contains("line 2"), "{rating}");
        }
        assert!(problem("1,2,three\n").contains("no column `user` on line 1"));
        let error = read(b"1,2,3\n\xff,2,3\n").unwrap_err();
        assert!(error.contains("not UTF-8 at byte 6"), "{error}");
    }

    proptest! {
        #[test]
        fn no_table_makes_the_reader_panic(contents: Vec<u8>, text in "[0-9a-z.,;\"\t\r\n-]{0,80}") {
            let _ = read(&contents);
            let _ = read(text.as_bytes());
            let _ = read(format!("user,item,rating\n{text}").as_bytes());
        }
    }
}
