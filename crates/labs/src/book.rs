//! The book of labs: one page of HTML with everything that each of them found.

use super::{About, Claim, Findings, Theme};
use converge_figures::{ReportError, html};

/// What a run of a lab is told as in the book.
#[derive(Debug, Clone)]
pub struct Chapter {
    name: &'static str,
    about: &'static About,
    /// Whether something did not hold.
    failed: bool,
    contents: String,
}

impl Chapter {
    /// What `findings` tell. `options` are names and values; `seconds` is the time taken.
    pub fn new(
        name: &'static str,
        about: &'static About,
        options: &[(String, String)],
        seconds: f64,
        findings: &Findings,
    ) -> Result<Self, ReportError> {
        let mut contents = html::prose(about.method);
        contents += "<h3>Findings</h3>\n";
        for sentence in &findings.sentences {
            contents += &html::prose(sentence.trim_start());
        }
        for figure in &findings.figures {
            contents += &html::figure(figure)?;
        }
        for (index, animation) in findings.animations.iter().enumerate() {
            contents += &html::animation(animation, &format!("{name}-{index}"))?;
        }
        for table in &findings.tables {
            contents += &html::table(&table.title, &table.header, &table.rows);
        }
        contents += &claims(&findings.claims);
        contents += "<h3>Sources</h3>\n";
        contents += &html::list(about.sources);
        contents += &setting(name, options, seconds, findings);
        let failed = findings.claims.iter().any(|claim| !claim.holds);
        Ok(Self { name, about, failed, contents })
    }

    /// A lab that ended with an error.
    pub fn failed(name: &'static str, about: &'static About, error: &str) -> Self {
        let method = html::prose(about.method);
        let error = html::escape(error);
        let contents = format!("{method}<p class=\"failed\">The lab failed: {error}</p>\n");
        Self { name, about, failed: true, contents }
    }
}

/// The claims, each with how it went.
fn claims(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return String::new();
    }
    let mut list = String::from("<h3>Claims</h3>\n<ul>\n");
    for claim in claims {
        let (class, word) = if claim.holds { ("ok", "ok") } else { ("failed", "FAILED") };
        list += &format!(
            "<li><span class=\"{class}\">{word}</span> {}<br><span class=\"small\">{}</span></li>\n",
            html::escape(&claim.says),
            html::escape(&claim.evidence)
        );
    }
    list + "</ul>\n"
}

/// How to repeat the lab, how long it took, and where its numbers are.
fn setting(name: &str, options: &[(String, String)], seconds: f64, findings: &Findings) -> String {
    let options: String =
        options.iter().map(|(option, value)| format!(" --{option} {}", quoted(value))).collect();
    let mut text = format!(
        "<p class=\"small\"><code>converge lab {name}{}</code>, {seconds:.1} s",
        html::escape(&options)
    );
    for file in &findings.data {
        let path = html::escape(&format!("{name}/{}.csv", file.name));
        text += &format!(", <a href=\"{path}\">{path}</a>");
    }
    text + "</p>\n"
}

/// `value` as a shell takes it for one word.
fn quoted(value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.,:/+=@%".contains(letter);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "'\\''"))
    }
}

/// One page of HTML that needs no other file: contents by theme, then `chapters` in that order.
pub fn book(chapters: &[Chapter]) -> String {
    let mut chapters: Vec<&Chapter> = chapters.iter().collect();
    chapters.sort_by_key(|chapter| chapter.about.theme);
    let mut body = String::from(
        "<h1>Experiments on convergence</h1>\n<p>Each was run with the optimizers, schedules and models \
         of training. What theory predicts was computed and compared; a claim that did not hold is \
         marked.</p>\n<nav>\n",
    );
    let mut theme: Option<Theme> = None;
    for chapter in &chapters {
        if theme != Some(chapter.about.theme) {
            body += if theme.is_some() { "</ul>\n" } else { "" };
            body += &format!("<h3>{}</h3>\n<ul>\n", html::escape(chapter.about.theme.title()));
            theme = Some(chapter.about.theme);
        }
        let mark = if chapter.failed { " <span class=\"failed\">FAILED</span>" } else { "" };
        body += &format!(
            "<li><a href=\"#{}\">{}</a>{mark}<br><span class=\"small\">{}</span></li>\n",
            chapter.name,
            html::escape(chapter.about.title),
            html::escape(chapter.about.question)
        );
    }
    body += if theme.is_some() { "</ul>\n</nav>\n" } else { "</nav>\n" };
    for chapter in chapters {
        body += &format!(
            "<section id=\"{}\">\n<h2>{}</h2>\n<p><em>{}</em></p>\n{}</section>\n",
            chapter.name,
            html::escape(chapter.about.title),
            html::escape(chapter.about.question),
            chapter.contents
        );
    }
    html::page("Experiments on convergence", &body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{DataFile, FindingsTable};
    use converge_figures::figure::{Axis, Figure, Layer, Panel, Plot};

    static ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "A title & more",
        question: "Is a < b?",
        method: "A paragraph.\n\n    a < b",
        sources: &["A book, 2004"],
    };
    static EARLIER: About = About { theme: Theme::Descent, title: "First", ..ABOUT };

    fn findings() -> Findings {
        let plot = Plot::new("", Axis::linear("step"), Axis::linear("loss")).with(Layer::line(
            "run",
            0,
            vec![(0.0, 1.0), (1.0, 0.5)],
        ));
        Findings {
            sentences: vec!["It <fell>.".to_owned()],
            tables: vec![FindingsTable::new("Losses", &["step"], vec![vec!["1".to_owned()]])],
            claims: vec![Claim::at_most("a <= b", 2.0, 1.0), Claim::at_least("b >= a", 2.0, 1.0)],
            figures: vec![Figure {
                name: "loss".to_owned(),
                title: "Loss".to_owned(),
                caption: "It <falls>.".to_owned(),
                panels: vec![Panel::Plot(plot)],
                columns: 1,
            }],
            animations: vec![],
            data: vec![DataFile::of_numbers("loss", &["loss"], [vec![1.0]])],
        }
    }

    #[test]
    fn the_book_tells_everything_and_escapes_it() {
        let options =
            [("rate".to_owned(), "0.1".to_owned()), ("name".to_owned(), "a b".to_owned())];
        let chapter = Chapter::new("one", &ABOUT, &options, 1.25, &findings()).unwrap();
        let page = book(&[chapter, Chapter::failed("two", &EARLIER, "no <numbers>")]);
        for text in [
            "A title &amp; more",
            "Is a &lt; b?",
            "<pre>a &lt; b</pre>",
            "It &lt;fell&gt;.",
            "It &lt;falls&gt;.",
            "<caption>Losses</caption>",
            "<span class=\"failed\">FAILED</span> a &lt;= b",
            "<span class=\"ok\">ok</span> b &gt;= a",
            "A book, 2004",
            "converge lab one --rate 0.1 --name 'a b'",
            "href=\"one/loss.csv\"",
            "The lab failed: no &lt;numbers&gt;",
        ] {
            assert!(page.contains(text), "`{text}` is missing");
        }
        assert!(page.find("href=\"#two\"").unwrap() < page.find("href=\"#one\"").unwrap());
        assert!(page.find("id=\"two\"").unwrap() < page.find("id=\"one\"").unwrap());
        for outside in ["http:", "https:", "src="] {
            let used = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!used.contains(outside), "{outside}");
        }
    }
}
