//! A terminal for bars that stays where it is when keys are pressed.
//!
//! `indicatif` fills a line with blanks, so that the cursor waits at the right edge: the `^C` that the
//! terminal shows at Ctrl-C then goes to the next line, and it is that line which the next drawing
//! takes away; the bar above stays, dead. Here the cursor waits behind the bar. What is typed stands in
//! the bar's line, which the next drawing clears.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use indicatif::TermLike;

/// Stderr.
#[derive(Debug)]
pub(super) struct SteadyTerminal {
    term: Term,
    /// The line that was written is to be ended before the next one.
    ends: AtomicBool,
}

impl SteadyTerminal {
    pub(super) fn stderr() -> Self {
        Self { term: Term::buffered_stderr(), ends: AtomicBool::new(false) }
    }

    /// Goes to the next line, if the one that was written is followed by another.
    fn end_line(&self) -> io::Result<()> {
        if self.ends.swap(false, Ordering::Relaxed) { self.term.write_line("") } else { Ok(()) }
    }

    /// What moves the cursor goes from the line that was written.
    fn stay(&self) -> &Term {
        self.ends.store(false, Ordering::Relaxed);
        &self.term
    }
}

impl TermLike for SteadyTerminal {
    fn width(&self) -> u16 {
        self.term.size().1
    }

    fn height(&self) -> u16 {
        self.term.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.stay().move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.stay().move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.stay().move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.stay().move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.end_line()?;
        self.term.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text.chars().all(|character| character == ' ') {
            // What fills the rest of a line.
            self.ends.store(true, Ordering::Relaxed);
            return Ok(());
        }
        self.end_line()?;
        self.term.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.stay().clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.term.flush()
    }
}
