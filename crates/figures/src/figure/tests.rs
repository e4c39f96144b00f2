//! Whole figures: what is in them, and that none fails.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::error::ReportError;
use crate::png::render_png;

fn figure(panels: Vec<Panel>, columns: usize) -> Figure {
    let title = "A title".to_owned();
    Figure { name: "name".to_owned(), title, caption: "unseen caption".to_owned(), panels, columns }
}

fn one(plot: Plot) -> Figure {
    figure(vec![Panel::Plot(plot)], 1)
}

fn svg(figure: &Figure) -> String {
    draw_figure(figure, Page::Light).unwrap()
}

/// Whether `text` is a whole text of `svg`.
fn shows(svg: &str, text: &str) -> bool {
    svg.contains(&format!(">{text}</text>"))
}

fn everything() -> Figure {
    let axis = Grid::even(-1.0, 1.0, 9);
    let grid = Grid::of(axis.clone(), axis, |x, y| x * x + y * y);
    let lines = Plot::new("lines", Axis::linear("step"), Axis::log("loss (nats)"))
        .with(Layer::line("measured", 0, vec![(0.0, 1.0), (1.0, 0.1), (2.0, 0.01)]))
        .with(Layer::theory("closed form", vec![(0.0, 1.0), (2.0, 0.01)]))
        .with(Layer::Reference {
            label: "tolerance".to_owned(),
            at: Place::Y(0.1),
            color: Color::Neutral,
        })
        .with(Layer::Reference {
            label: "arrived".to_owned(),
            at: Place::X(1.0),
            color: Color::Series(2),
        })
        .with(Layer::Text { text: "here".to_owned(), at: (0.5, 0.5), color: Color::Ink });
    let bars =
        Plot::new("bars", Axis::categories("optimizer", ["sgd", "adam"]), Axis::linear("steps"))
            .with(Layer::Bars {
                name: "to the target".to_owned(),
                bars: vec![(-0.4, 0.4, 120.0), (0.6, 1.4, 80.0)],
                color: Color::Series(1),
            });
    let map = Plot::new("map", Axis::linear("x"), Axis::linear("y"))
        .with(Layer::HeatMap {
            grid: grid.clone(),
            label: "height (m)".to_owned(),
            colors: ColorScale::Sequential { log: false },
            written: true,
        })
        .with(Layer::Contours { grid: grid.clone(), levels: vec![0.5], color: Color::Ink });
    let surface = Surface {
        title: "surface".to_owned(),
        labels: ["across", "along", "up"].map(str::to_owned),
        grid,
        log_offset: None,
        paths: vec![("walk".to_owned(), Color::Series(0), vec![(-0.5, -0.5), (0.5, 0.5)])],
    };
    figure(
        vec![Panel::Plot(lines), Panel::Plot(bars), Panel::Plot(map), Panel::Surface(surface)],
        2,
    )
}

#[test]
fn a_figure_names_everything_that_it_shows() {
    let svg = svg(&everything());
    for text in [
        "A title",
        "lines",
        "step",
        "loss (nats)",
        "measured",
        "closed form",
        "tolerance",
        "arrived",
        "here",
        "0.01",
        "bars",
        "optimizer",
        "sgd",
        "adam",
        "steps",
        "to the target",
        "100",
        "map",
        "height (m)",
        "−0.5",
        "1.12",
        "surface",
        "across",
        "along",
        "up",
        "walk",
    ] {
        assert!(shows(&svg, text), "`{text}` is missing");
    }
    assert!(!svg.contains("unseen caption"));
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1200\""));
}

#[test]
fn both_pages_have_the_same_marks_in_their_own_colours_and_a_page_gives_them_by_name() {
    let [light, dark] =
        [Page::Light, Page::Dark].map(|page| draw_figure(&everything(), page).unwrap());
    assert_eq!(light.lines().count(), dark.lines().count());
    assert!(light.contains("fill=\"#ffffff\"") && dark.contains("fill=\"#15171a\""));
    assert_eq!(light, svg(&everything()));
    let themed = draw_themed(&everything()).unwrap();
    assert!(themed.contains("fill=\"var(--ink)\"") && themed.contains("stroke=\"var(--s0)\""));
    assert!(!themed.contains("#1a1a1a"));
    let corner = |svg: &str| {
        let image = image::load_from_memory(&render_png(svg, 0.5).unwrap()).unwrap().to_rgb8();
        image.get_pixel(0, 0).0
    };
    assert_eq!((corner(&light), corner(&dark)), ([255; 3], [0x15, 0x17, 0x1a]));
}

#[test]
fn a_line_goes_through_its_points_and_leaves_gaps() {
    let points =
        vec![(0.0, 0.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 3.0), (4.0, 4.0), (5.0, 2e150)];
    let plot =
        Plot::new("", Axis::linear("").between(0.0, 4.0), Axis::linear("").between(0.0, 4.0))
            .with(Layer::line("", 0, points));
    let svg = svg(&one(plot));
    let path = svg.lines().find(|line| line.contains("stroke=\"#0072b2\"")).unwrap();
    assert_eq!(path.matches('M').count(), 2, "{path}");
}

#[test]
fn what_is_not_positive_has_no_place_on_a_logarithmic_axis() {
    let points = vec![(1.0, 1.0), (2.0, 0.0), (3.0, -5.0), (4.0, 100.0)];
    let plot = Plot::new("", Axis::linear("x"), Axis::log("y")).with(Layer::points("", 0, points));
    let svg = svg(&one(plot));
    let dots = svg.lines().find(|line| line.contains("stroke=\"#0072b2\"")).unwrap();
    assert_eq!(dots.matches('M').count(), 2);
    assert!(shows(&svg, "1") && shows(&svg, "100") && !shows(&svg, "0"));
}

#[test]
fn bars_stand_on_zero() {
    let bars = Layer::Bars {
        name: String::new(),
        bars: vec![(0.0, 1.0, 50.0), (1.0, 2.0, 60.0)],
        color: Color::Series(0),
    };
    let svg = svg(&one(Plot::new("", Axis::linear(""), Axis::linear("")).with(bars)));
    assert!(shows(&svg, "0") && shows(&svg, "50"));
}

#[test]
fn a_heat_map_of_200_by_200_is_small_whole_and_coloured_at_its_place() {
    let axis = Grid::even(0.0, 1.0, 200);
    let map = |x: Axis| {
        let map = Layer::HeatMap {
            grid: Grid::of(axis.clone(), axis.clone(), |x, _| x),
            label: String::new(),
            colors: ColorScale::Sequential { log: false },
            written: false,
        };
        svg(&one(Plot::new("", x, Axis::linear("y")).with(map)))
    };
    let svg = map(Axis::linear("x"));
    assert!(svg.len() < 250_000, "{}", svg.len());
    let ends = |svg: &str| {
        let image = image::load_from_memory(&render_png(svg, 1.0).unwrap()).unwrap().to_rgb8();
        let y = image.height() / 2;
        let colored = |x: &u32| image.get_pixel(*x, y).0 != [255; 3];
        let first = (0..1200).filter(colored).find(|x| (*x..x + 40).all(|x| colored(&x))).unwrap();
        let last = (first..1200).take_while(colored).last().unwrap();
        [first + 4, last - 4].map(|x| image.get_pixel(x, y).0)
    };
    let [left, right] = ends(&svg);
    assert!(left[2] > left[1] && right[1] > right[2], "dark blue {left:?}, yellow {right:?}");
    assert_eq!(ends(&map(Axis::linear("x").between(1.0, 0.0))), [right, left]);
}

#[test]
fn panels_of_one_legend_share_it_and_others_have_their_own() {
    let plot = |name: &str| {
        Panel::Plot(Plot::new("", Axis::linear(""), Axis::linear("")).with(Layer::line(
            name,
            0,
            vec![(0.0, 0.0), (1.0, 1.0)],
        )))
    };
    let shared = svg(&figure(vec![plot("loss"), plot("loss")], 2));
    assert_eq!(shared.matches(">loss</text>").count(), 1);
    let own = svg(&figure(vec![plot("loss"), plot("accuracy")], 2));
    assert!(shows(&own, "loss") && shows(&own, "accuracy"));
}

#[test]
fn a_text_wider_than_its_plot_is_shortened_in_the_middle() {
    let text = Layer::Text { text: "long ".repeat(80), at: (0.5, 0.5), color: Color::Ink };
    // Widths of labels, and with them the ends of the axes, fall on many fractions of a pixel.
    for columns in 1..5 {
        for digits in 0..8 {
            let unit = 10_f64.powi(-digits);
            let (x, y) = (Axis::linear("x"), Axis::linear("y").between(0.5 - unit, 0.5 + unit));
            let panel = Panel::Plot(Plot::new("", x.between(0.0, 1.0), y).with(text.clone()));
            let svg = svg(&figure(vec![panel; columns], columns));
            assert_eq!(svg.matches(">long ").count(), columns);
        }
    }
}

#[test]
fn a_figure_without_panels_or_with_an_empty_stack_is_an_error() {
    for panels in [vec![], vec![Panel::Stack(vec![])]] {
        let error = draw_figure(&figure(panels, 1), Page::Light).unwrap_err();
        assert!(matches!(error, ReportError::Drawing(_)));
    }
}

#[test]
fn a_stack_has_one_horizontal_axis_and_labels_a_vertical_line_once() {
    let plot = |name: &str, from: f64| {
        let (x, y) = (Axis::counts("epoch"), Axis::linear(name));
        let line = Layer::line(name, 0, vec![(from, 10.0), (from + 2.0, 20.0)]);
        let best =
            Layer::Reference { label: "best".to_owned(), at: Place::X(3.0), color: Color::Neutral };
        Plot { notes: vec![format!("{name} ends early")], ..Plot::new("", x, y) }
            .with(line)
            .with(best)
    };
    let stack = Panel::Stack(vec![plot("loss", 1.0), plot("accuracy", 3.0)]);
    let svg = svg(&figure(vec![stack], 1));
    // The axis spans what both show, 1 to 5; each plot has the line at 3, the first its label.
    for text in ["epoch", "1", "5", "best", "loss ends early", "accuracy ends early"] {
        assert_eq!(svg.matches(&format!(">{text}</text>")).count(), 1, "{text}");
    }
    assert_eq!(svg.matches("stroke-dasharray=\"7 5\"").count(), 2);
}

#[test]
fn names_at_the_ends_of_lines_stand_apart_and_not_in_the_legend() {
    let line = |name: &str, series, end| Layer::line(name, series, vec![(0.0, 0.0), (1.0, end)]);
    let dots = Layer::points("measured", 2, vec![(0.5, 0.5)]);
    let mut plot = Plot::new("", Axis::linear("x"), Axis::linear("y"));
    plot.layers = vec![line("training", 0, 1.0), line("validation", 1, 0.999), dots];
    plot.labels_at_ends = true;
    let svg = svg(&one(plot));
    let y = |name: &str| -> f64 {
        assert_eq!(svg.matches(&format!(">{name}</text>")).count(), 1, "{name}");
        let text = svg.lines().find(|line| line.contains(&format!(">{name}<"))).unwrap();
        text.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    // The greater value stands above, a line of letters away.
    assert!(y("validation") - y("training") >= 20.0);
    assert!(y("measured") < y("training"), "the legend is above the axes");
}

#[test]
fn an_adaptive_figure_is_the_light_one_where_style_sheets_are_not_known() {
    let adaptive = draw_figure(&everything(), Page::Adaptive).unwrap();
    let style = adaptive.lines().find(|line| line.starts_with("<style>")).unwrap();
    assert!(style.starts_with("<style>@media(prefers-color-scheme:dark){"), "{style}");
    let light = svg(&everything());
    assert_eq!(adaptive.replace(&format!("{style}\n"), ""), light);
    assert!(render_png(&adaptive, 0.5).unwrap() == render_png(&light, 0.5).unwrap());
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -10.0..10.0_f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, f64::MAX, 5e-324, 1e100, -1e100,
        ]),
    ]
}

fn color() -> impl Strategy<Value = Color> {
    prop_oneof![any::<usize>().prop_map(Color::Series), Just(Color::Neutral), Just(Color::Ink)]
}

fn axis() -> impl Strategy<Value = Axis> {
    let scale = prop_oneof![
        Just(Scale::Linear),
        Just(Scale::Counts),
        Just(Scale::Log),
        prop::collection::vec(any::<String>(), 0..4).prop_map(Scale::Categories),
    ];
    (any::<String>(), scale, prop::option::of((number(), number())))
        .prop_map(|(label, scale, range)| Axis { label, scale, range })
}

fn grid() -> impl Strategy<Value = Grid> {
    let even = || {
        (number(), number(), 0_usize..5).prop_map(|(low, high, count)| Grid::even(low, high, count))
    };
    (even(), even(), prop::collection::vec(number(), 0..25), any::<bool>()).prop_map(
        |(x, y, mut values, whole)| {
            if whole {
                values.resize(x.len() * y.len(), 1.0);
            }
            Grid { x, y, values }
        },
    )
}

fn layer() -> impl Strategy<Value = Layer> {
    let points = || prop::collection::vec((number(), number()), 0..6);
    let triples = || prop::collection::vec((number(), number(), number()), 0..6);
    let colors = prop_oneof![
        any::<bool>().prop_map(|log| ColorScale::Sequential { log }),
        number().prop_map(|middle| ColorScale::Diverging { middle }),
        Just(ColorScale::Classes),
    ];
    let place = prop_oneof![number().prop_map(Place::X), number().prop_map(Place::Y)];
    prop_oneof![
        (any::<String>(), points(), color(), number(), any::<bool>()).prop_map(
            |(name, points, color, width, dashed)| Layer::Line {
                name,
                points,
                color,
                width,
                dashed
            }
        ),
        (any::<String>(), points(), color(), number()).prop_map(|(name, points, color, radius)| {
            Layer::Points { name, points, color, radius }
        }),
        (any::<String>(), triples(), color()).prop_map(|(name, points, color)| Layer::Band {
            name,
            points,
            color
        }),
        (any::<String>(), triples(), color()).prop_map(|(name, bars, color)| Layer::Bars {
            name,
            bars,
            color
        }),
        (any::<String>(), place, color()).prop_map(|(label, at, color)| Layer::Reference {
            label,
            at,
            color
        }),
        (any::<String>(), (number(), number()), color())
            .prop_map(|(text, at, color)| Layer::Text { text, at, color }),
        (grid(), any::<String>(), colors, any::<bool>()).prop_map(
            |(grid, label, colors, written)| { Layer::HeatMap { grid, label, colors, written } }
        ),
        (grid(), prop::collection::vec(number(), 0..4), color())
            .prop_map(|(grid, levels, color)| Layer::Contours { grid, levels, color }),
    ]
}

fn panel() -> impl Strategy<Value = Panel> {
    let plot = || {
        let layers = prop::collection::vec(layer(), 0..5);
        let notes = prop::collection::vec(any::<String>(), 0..2);
        let parts = (any::<String>(), axis(), axis(), layers);
        (parts, prop::option::of(number()), any::<bool>(), notes).prop_map(
            |((title, x, y, layers), height, labels_at_ends, notes)| Plot {
                title,
                x,
                y,
                layers,
                height,
                labels_at_ends,
                notes,
            },
        )
    };
    let stack = prop::collection::vec(plot(), 1..4).prop_map(Panel::Stack);
    let path = (any::<String>(), color(), prop::collection::vec((number(), number()), 0..5));
    let surface = (
        any::<String>(),
        any::<[String; 3]>(),
        grid(),
        prop::option::of(number()),
        prop::collection::vec(path, 0..3),
    )
        .prop_map(|(title, labels, grid, log_offset, paths)| {
            Panel::Surface(Surface { title, labels, grid, log_offset, paths })
        });
    prop_oneof![3 => plot().prop_map(Panel::Plot), 2 => stack, 1 => surface]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_figure_panics_and_every_one_can_be_rendered(
        title: String,
        panels in prop::collection::vec(panel(), 1..4),
        columns in 0_usize..5,
    ) {
        let figure = Figure { name: String::new(), title, caption: String::new(), panels, columns };
        for page in [Page::Light, Page::Adaptive] {
            let svg = draw_figure(&figure, page).unwrap();
            // Numbers that are none would be in a path or an attribute.
            let numbers = svg.lines().filter(|line| !line.starts_with("<t"));
            prop_assert!(numbers.flat_map(str::split_whitespace).all(|part| !part.contains("NaN")));
            render_png(&svg, 0.05).unwrap();
        }
    }
}
