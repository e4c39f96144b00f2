//! Animations: as a GIF, and as a part of a page of HTML that can be stopped and stepped.

use std::collections::{BTreeMap, BTreeSet};

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, Rgba, RgbaImage};
use rayon::prelude::*;

use super::draw::{Page, draw_figure, draw_themed, escape};
use super::plot::Figure;
use crate::error::ReportError;
use crate::png::render;

/// Frames that follow each other, all of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Animation {
    /// The stem of the files it is written to.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What to see in it.
    pub caption: String,
    /// The frames; the title of each says which it is.
    pub frames: Vec<Figure>,
    /// How long each is shown, in milliseconds.
    pub frame_milliseconds: u32,
}

/// Pixels of a GIF per pixel of a figure: 720 of 1200.
const GIF_SCALE: f32 = 0.6;
/// How much of each frame the palette is learned from: one pixel in so many.
const GIF_SPEED: i32 = 10;
/// The last frame of a GIF is shown so many times longer.
const REST: u32 = 10;

impl Animation {
    fn has_frames(&self) -> Result<(), ReportError> {
        if self.frames.is_empty() {
            return Err(ReportError::Drawing(format!("`{}` has no frames", self.name)));
        }
        Ok(())
    }
}

/// `animation` as the bytes of a GIF of 720 pixels width that repeats for ever and rests at its end.
pub fn draw_gif(animation: &Animation, page: Page) -> Result<Vec<u8>, ReportError> {
    animation.has_frames()?;
    let images: Vec<RgbaImage> = animation
        .frames
        .par_iter()
        .map(|frame| {
            let pixels = render(&draw_figure(frame, page)?, GIF_SCALE)?;
            let (width, height) = (pixels.width(), pixels.height());
            // Nothing is transparent, so colours are not multiplied by anything.
            RgbaImage::from_raw(width, height, pixels.take())
                .ok_or_else(|| ReportError::Encoding("a frame lacks pixels".to_owned()))
        })
        .collect::<Result<_, ReportError>>()?;
    let height = images.iter().map(RgbaImage::height).max().unwrap_or(0);
    let failed = |error: image::ImageError| ReportError::Encoding(error.to_string());
    let mut bytes = vec![];
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, GIF_SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    let count = images.len();
    for (index, image) in images.into_iter().enumerate() {
        let rest = if index + 1 == count { REST } else { 1 };
        let milliseconds = animation.frame_milliseconds.clamp(20, 10_000) * rest;
        let image = as_high(image, height);
        let delay = Delay::from_numer_denom_ms(milliseconds, 1);
        encoder.encode_frame(Frame::from_parts(image, 0, 0, delay)).map_err(failed)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// `image` with rows in the colour of its first pixel below, where it is not `height` high.
fn as_high(image: RgbaImage, height: u32) -> RgbaImage {
    if image.height() == height {
        return image;
    }
    let background = image.get_pixel_checked(0, 0).copied().unwrap_or(Rgba([255; 4]));
    let mut higher = RgbaImage::from_pixel(image.width(), height, background);
    image::imageops::replace(&mut higher, &image, 0, 0);
    higher
}

/// `animation` as HTML: its frames with a slider, and a button that plays and stops. `prefix` makes
/// the names in it unlike those of other animations of the page; [`super::theme_css`] gives the
/// colours, [`crate::html::ANIMATION_SCRIPT`] the motion.
pub fn animate(animation: &Animation, prefix: &str) -> Result<String, ReportError> {
    animation.has_frames()?;
    let frames = animation.frames.iter().map(draw_themed);
    let frames: Vec<String> = frames.collect::<Result<_, ReportError>>()?;
    let (parts, frames) = share(&frames, prefix);
    let last = frames.len() - 1;
    let title = escape(&animation.title);
    let mut html = format!(
        "<div class=\"animation\" data-milliseconds=\"{}\" tabindex=\"0\">\n{parts}",
        animation.frame_milliseconds.clamp(20, 10_000)
    );
    for (index, frame) in frames.iter().enumerate() {
        // Without scripts the last frame shows, in which everything has happened.
        let hidden = if index == last { "" } else { " hidden" };
        html += &format!("<div class=\"frame\"{hidden}>\n{frame}</div>\n");
    }
    html += &format!(
        "<div class=\"controls\" hidden><button type=\"button\">Play</button>\
         <input type=\"range\" min=\"0\" max=\"{last}\" value=\"{last}\" aria-label=\"Frame of: {title}\">\
         <output>{} / {}</output></div>\n</div>\n",
        last + 1,
        last + 1
    );
    Ok(html)
}

/// What all of `frames` have in common, once, and the frames, which refer to it. Every line of a
/// frame is an element, or opens or closes one.
fn share(frames: &[String], prefix: &str) -> (String, Vec<String>) {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for frame in frames {
        for line in frame.lines().filter(|line| is_element(line)) {
            *found.entry(line).or_default() += 1;
        }
    }
    let everywhere = |line: &str| {
        frames.len() > 1 && found.get(line).is_some_and(|count| *count == frames.len())
    };
    let common = |frame: &'_ String| -> Vec<String> {
        frame.lines().filter(|line| everywhere(line)).map(str::to_owned).collect()
    };
    let order = frames.first().map(common).unwrap_or_default();
    if frames.iter().any(|frame| common(frame) != order) {
        return (String::new(), frames.to_vec());
    }
    // A part ends where something else follows in any frame.
    let mut ends: BTreeSet<&str> = BTreeSet::new();
    for frame in frames {
        let mut before: Option<&str> = None;
        for line in frame.lines() {
            match (everywhere(line), before) {
                (true, _) => before = Some(line),
                (false, Some(end)) => {
                    ends.insert(end);
                    before = None;
                }
                (false, None) => {}
            }
        }
    }
    let mut parts =
        String::from("<svg class=\"parts\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n");
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut open = false;
    for line in &order {
        if !open {
            let name = format!("{prefix}-{}", names.len());
            parts += &format!("<g id=\"{name}\">\n");
            names.insert(line, name);
            open = true;
        }
        parts += line;
        parts.push('\n');
        if ends.contains(line.as_str()) {
            parts += "</g>\n";
            open = false;
        }
    }
    if open {
        parts += "</g>\n";
    }
    parts += "</defs></svg>\n";
    let referring = frames.iter().map(|frame| {
        let line = |line: &str| match names.get(line) {
            Some(name) => format!("<use href=\"#{name}\"/>\n"),
            None if everywhere(line) => String::new(),
            None => format!("{line}\n"),
        };
        frame.lines().map(line).collect()
    });
    (parts, referring.collect())
}

fn is_element(line: &str) -> bool {
    let closed = line.ends_with("/>") || line.ends_with("</text>");
    closed && (line.starts_with("<path") || line.starts_with("<text"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::figure::{Axis, ColorScale, Grid, Layer, Panel, Plot};

    fn animation(frames: usize) -> Animation {
        let axis = Grid::even(-1.0, 1.0, 30);
        let grid = Grid::of(axis.clone(), axis, |x, y| x * x + y * y);
        let frame = |index: usize| {
            let path = (0..=index).map(|step| (0.9 - 0.1 * step as f64, 0.5)).collect();
            let plot = Plot::new("", Axis::linear("x"), Axis::linear("y"))
                .with(Layer::HeatMap {
                    grid: grid.clone(),
                    label: "f".to_owned(),
                    colors: ColorScale::Sequential { log: false },
                    written: false,
                })
                .with(Layer::line("path", 1, path));
            Figure {
                name: "frame".to_owned(),
                title: format!("step {index}"),
                caption: String::new(),
                panels: vec![Panel::Plot(plot)],
                columns: 1,
            }
        };
        Animation {
            name: "descent".to_owned(),
            title: "Descent <in steps>".to_owned(),
            caption: String::new(),
            frames: (0..frames).map(frame).collect(),
            frame_milliseconds: 100,
        }
    }

    #[test]
    fn a_gif_has_every_frame_and_rests_at_the_last() {
        use image::AnimationDecoder as _;
        let bytes = draw_gif(&animation(3), Page::Light).unwrap();
        let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(&bytes)).unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        let milliseconds: Vec<u32> =
            frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        assert_eq!(milliseconds, [100, 100, 1000]);
        assert!(frames.iter().all(|frame| frame.buffer().width() == 720));
        assert_ne!(frames[0].buffer(), frames[2].buffer());
        assert_eq!(bytes, draw_gif(&animation(3), Page::Light).unwrap());
    }

    #[test]
    fn frames_share_what_they_have_in_common() {
        let html = animate(&animation(20), "a").unwrap();
        let one = draw_themed(&animation(1).frames[0]).unwrap();
        assert!(html.len() < 3 * one.len(), "{} of {}", html.len(), one.len());
        for index in 0..20 {
            assert!(html.contains(&format!(">step {index}</text>")), "{index}");
        }
        assert!(html.contains("Descent &lt;in steps&gt;") && !html.contains("<in steps>"));
        assert_eq!(html.matches("<div").count(), html.matches("</div>").count());
        assert_eq!(html.matches("<g").count(), html.matches("</g>").count());
    }

    #[test]
    fn what_is_shared_draws_the_same_image() {
        let frames: Vec<String> = animation(4)
            .frames
            .iter()
            .map(|frame| draw_figure(frame, Page::Light).unwrap())
            .collect();
        let (parts, shared) = share(&frames, "a");
        let defs = parts.split_once("<defs>").unwrap().1.split_once("</defs>").unwrap().0;
        for (whole, shared) in frames.iter().zip(shared) {
            let (head, body) = shared.split_once('\n').unwrap();
            let with_parts = format!("{head}\n<defs>{defs}</defs>\n{body}");
            let pixels = |svg: &str| render(svg, 0.5).unwrap().take();
            assert!(pixels(whole) == pixels(&with_parts));
        }
    }

    #[test]
    fn an_animation_without_frames_is_an_error() {
        assert!(
            draw_gif(&animation(0), Page::Light).is_err() && animate(&animation(0), "a").is_err()
        );
    }
}
