//! The colours of a figure: of ink and series by page, of values by colour map.
//!
//! Series are those of Okabe and Ito (2008), "Color Universal Design", with black or white as the
//! seventh; orange and sky blue are darker on white, and most are lighter on the dark page, so that
//! each has a contrast of 3:1 at least with what is behind it.

use crate::figure::color::{Color, ColorScale};

/// For which page a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Dark on white.
    Light,
    /// Light on near black.
    Dark,
    /// As for a light page, with a style sheet that makes it dark where the reader prefers dark
    /// pages: for files that a browser shows. What knows no style sheets shows the light one.
    Adaptive,
}

/// How many colours series have.
pub(super) const SERIES: usize = 7;

/// The colours of a page, as SVG and CSS write them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub background: &'static str,
    pub ink: &'static str,
    pub neutral: &'static str,
    pub grid: &'static str,
    pub series: [&'static str; SERIES],
}

impl Palette {
    const LIGHT: Self = Self {
        background: "#ffffff",
        ink: "#1a1a1a",
        neutral: "#555555",
        grid: "#e3e3e3",
        series: ["#0072b2", "#d55e00", "#009e73", "#c2649a", "#b98000", "#3595d3", "#1a1a1b"],
    };
    const DARK: Self = Self {
        background: "#15171a",
        ink: "#e8e8e8",
        neutral: "#a3a3a3",
        grid: "#34373c",
        series: ["#3d9be0", "#f0803c", "#1fb88a", "#de93bf", "#edb02e", "#8fd0f5", "#f4f4f4"],
    };
    /// Names that a page of HTML gives values: see [`theme_css`].
    const THEMED: Self = Self {
        background: "var(--figure)",
        ink: "var(--ink)",
        neutral: "var(--neutral)",
        grid: "var(--grid)",
        series: [
            "var(--s0)",
            "var(--s1)",
            "var(--s2)",
            "var(--s3)",
            "var(--s4)",
            "var(--s5)",
            "var(--s6)",
        ],
    };

    pub(super) fn of(page: Page) -> Self {
        match page {
            Page::Light | Page::Adaptive => Self::LIGHT,
            Page::Dark => Self::DARK,
        }
    }

    pub(super) fn themed() -> Self {
        Self::THEMED
    }

    pub(super) fn color(&self, color: Color) -> &'static str {
        match color {
            Color::Series(index) => self.series[index % SERIES],
            Color::Neutral => self.neutral,
            Color::Ink => self.ink,
        }
    }

    fn colors(&self) -> impl Iterator<Item = &'static str> {
        [self.background, self.ink, self.neutral, self.grid].into_iter().chain(self.series)
    }

    fn variables(&self) -> String {
        let name =
            |variable: &'static str| variable.trim_start_matches("var(").trim_end_matches(')');
        let declared = |(variable, value)| format!("{}:{value};", name(variable));
        Self::THEMED.colors().zip(self.colors()).map(declared).collect()
    }
}

/// CSS for a figure with the colours of a light page: those of a dark one in place of them where
/// the reader prefers that. The colours of a palette are unlike each other and unlike those of the
/// colour maps, so that they name what has them.
pub(super) fn adaptive_css() -> String {
    let dark = |(light, dark)| {
        format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
    };
    let rules: String = Palette::LIGHT.colors().zip(Palette::DARK.colors()).map(dark).collect();
    format!("@media(prefers-color-scheme:dark){{{rules}}}")
}

/// CSS that gives the colours of figures for pages, as [`super::draw_themed`] names them, the
/// values of a light page, and of a dark one where the reader prefers that.
pub fn theme_css() -> String {
    format!(
        ":root{{color-scheme:light dark;{}}}\n@media(prefers-color-scheme:dark){{:root{{{}}}}}\n",
        Palette::LIGHT.variables(),
        Palette::DARK.variables()
    )
}

/// The same for a page with a switch: what `data-theme` of its root element says, `light` or `dark`,
/// goes before what the reader's system prefers. Paper is light.
pub fn switched_theme_css() -> String {
    let dark = Palette::DARK.variables();
    format!(
        ":root{{color-scheme:light dark;{}}}\n:root[data-theme=light]{{color-scheme:light}}\n\
         @media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n\
         @media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n",
        Palette::LIGHT.variables()
    )
}

/// Red, green, blue.
type Rgb = [u8; 3];

impl Palette {
    /// The colour of a value at `fraction`, from 0 to 1, of the range of `scale`; of classes,
    /// `fraction` is the class.
    pub(super) fn mapped(&self, scale: ColorScale, fraction: f64) -> String {
        match scale {
            ColorScale::Sequential { .. } => hex(between(&VIRIDIS, fraction)),
            ColorScale::Diverging { .. } => hex(between(&DIVERGING, fraction)),
            ColorScale::Classes => self.series[fraction as usize % SERIES].to_owned(),
        }
    }

    /// How strong that colour is: classes beyond the seventh have those of the first, paler.
    pub(super) fn strength(scale: ColorScale, fraction: f64) -> f64 {
        match scale {
            ColorScale::Classes if fraction >= SERIES as f64 => 0.45,
            _ => 1.0,
        }
    }

    /// What can be read on that colour.
    pub(super) fn written_on(&self, scale: ColorScale, fraction: f64) -> &'static str {
        let behind = match scale {
            ColorScale::Sequential { .. } => between(&VIRIDIS, fraction),
            ColorScale::Diverging { .. } => between(&DIVERGING, fraction),
            // Series stand out from the page, so the page stands out from them.
            ColorScale::Classes if Self::strength(scale, fraction) < 1.0 => return self.ink,
            ColorScale::Classes => return self.background,
        };
        // Names, because these two stay as they are where the colours of the page change.
        if luminance(behind) > 0.18 { "black" } else { "white" }
    }
}

fn between(stops: &[u32], fraction: f64) -> Rgb {
    let place = fraction.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let below = (place as usize).min(stops.len() - 2);
    let weight = place - below as f64;
    let (low, high) = (stops[below].to_be_bytes(), stops[below + 1].to_be_bytes());
    [1, 2, 3].map(|part| {
        (f64::from(low[part]) * (1.0 - weight) + f64::from(high[part]) * weight).round() as u8
    })
}

/// The relative luminance of WCAG 2.1.
fn luminance(color: Rgb) -> f64 {
    let linear = color.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Viridis of matplotlib (Smith and van der Walt, 2015, CC0), every sixteenth colour.
const VIRIDIS: [u32; 17] = [
    0x0044_0154,
    0x0048_186a,
    0x0047_2d7b,
    0x0042_4086,
    0x003b_528b,
    0x0033_638d,
    0x002c_728e,
    0x0026_828e,
    0x0021_918c,
    0x001f_9f88,
    0x0027_ad81,
    0x003d_bc74,
    0x005c_c863,
    0x0081_d34d,
    0x00aa_dc32,
    0x00d5_e21a,
    0x00fd_e725,
];

/// The blues of `RdBu` and the oranges of `PuOr` of `ColorBrewer` (Brewer and others, 2003).
const DIVERGING: [u32; 11] = [
    0x0005_3061,
    0x0021_66ac,
    0x0043_93c3,
    0x0092_c5de,
    0x00d1_e5f0,
    0x00f7_f7f7,
    0x00fe_e0b6,
    0x00fd_b863,
    0x00e0_8214,
    0x00b3_5806,
    0x007f_3b08,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rgb(hex: &str) -> Rgb {
        let hex = match hex {
            "black" => "#000000",
            "white" => "#ffffff",
            hex => hex,
        };
        let color = u32::from_str_radix(hex.trim_start_matches('#'), 16).unwrap();
        let [_, red, green, blue] = color.to_be_bytes();
        [red, green, blue]
    }

    fn contrast(first: Rgb, second: Rgb) -> f64 {
        let (first, second) = (luminance(first), luminance(second));
        (first.max(second) + 0.05) / (first.min(second) + 0.05)
    }

    #[test]
    fn every_colour_stands_out_from_its_page() {
        for palette in [Palette::LIGHT, Palette::DARK] {
            let background = rgb(palette.background);
            for color in palette.series {
                let contrast = contrast(rgb(color), background);
                assert!(contrast >= 3.0, "{color}: {contrast}");
            }
            for text in [palette.ink, palette.neutral] {
                assert!(contrast(rgb(text), background) >= 7.0, "{text}");
            }
        }
    }

    #[test]
    fn colour_maps_begin_and_end_as_published_and_grow_lighter() {
        let map = |fraction| Palette::LIGHT.mapped(ColorScale::Sequential { log: false }, fraction);
        assert_eq!(
            (map(0.0), map(0.5), map(1.0)),
            ("#440154".into(), "#21918c".into(), "#fde725".into())
        );
        let light = |step: u32| luminance(between(&VIRIDIS, f64::from(step) / 100.0));
        assert!((1..=100).all(|step| light(step) > light(step - 1)));
        assert_eq!(between(&DIVERGING, 0.5), [0xf7; 3]);
    }

    #[test]
    fn what_is_written_on_a_colour_can_be_read() {
        for scale in [ColorScale::Sequential { log: false }, ColorScale::Diverging { middle: 0.0 }]
        {
            for step in 0..=100 {
                let fraction = f64::from(step) / 100.0;
                let text = rgb(Palette::DARK.written_on(scale, fraction));
                assert!(contrast(text, rgb(&Palette::DARK.mapped(scale, fraction))) >= 4.5);
            }
        }
    }

    #[test]
    fn a_colour_of_the_light_page_is_that_of_nothing_else() {
        let colors: Vec<_> = Palette::LIGHT.colors().map(str::to_owned).collect();
        let mapped = [ColorScale::Sequential { log: false }, ColorScale::Diverging { middle: 0.0 }]
            .into_iter()
            .flat_map(|scale| (0..=64).map(move |step| (scale, f64::from(step) / 64.0)))
            .map(|(scale, fraction)| Palette::LIGHT.mapped(scale, fraction));
        assert!(mapped.into_iter().all(|color| !colors.contains(&color)));
        let distinct: std::collections::BTreeSet<_> = colors.iter().collect();
        assert_eq!(distinct.len(), colors.len());
    }

    #[test]
    fn the_style_sheet_names_every_colour_twice() {
        let css = theme_css();
        for name in ["--figure:", "--ink:", "--neutral:", "--grid:", "--s0:", "--s6:"] {
            assert_eq!(css.matches(name).count(), 2, "{name}");
        }
    }
}
