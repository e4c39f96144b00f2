//! The names that torchvision gives the parameters of its `mobilenet_v2`.

use super::Features;

/// torchvision's name for the parameter that is called `name` here (`features.blocks.0.project.
/// norm.beta`), as in its files (`features.1.conv.2.bias`); `None` where it has none.
pub fn torchvision(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('.').collect();
    match *parts.as_slice() {
        ["classifier", parameter] => Some(format!("classifier.1.{parameter}")),
        ["features", "stem", ref rest @ ..] => Some(format!("features.0.{}", layer(rest, 0)?)),
        ["features", "last", ref rest @ ..] => {
            Some(format!("features.{}.{}", Features::PARTS - 1, layer(rest, 0)?))
        }
        ["features", "blocks", index, part, ref rest @ ..] => {
            let index = index.parse::<usize>().ok()? + 1;
            // The first block has no expansion in front of its depthwise convolution.
            let before = usize::from(index > 1);
            let rest = match part {
                "expand" => format!("0.{}", layer(rest, 0)?),
                "depthwise" => format!("{before}.{}", layer(rest, 0)?),
                // Without activation, torchvision does not group convolution and normalisation.
                "project" => layer(rest, before + 1)?,
                _ => return None,
            };
            Some(format!("features.{index}.conv.{rest}"))
        }
        _ => None,
    }
}

/// The parameter of a layer whose convolution is number `first` of its list, and whose
/// normalisation is the next.
fn layer(rest: &[&str], first: usize) -> Option<String> {
    match *rest {
        ["weight"] => Some(format!("{first}.weight")),
        ["norm", "gamma"] => Some(format!("{}.weight", first + 1)),
        ["norm", "beta"] => Some(format!("{}.bias", first + 1)),
        ["norm", statistic] => Some(format!("{}.{statistic}", first + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_torchvision() {
        // From the keys of torchvision's mobilenet_v2-b0353104.pth.
        for (ours, theirs) in [
            ("features.stem.weight", "features.0.0.weight"),
            ("features.stem.norm.running_var", "features.0.1.running_var"),
            ("features.blocks.0.depthwise.weight", "features.1.conv.0.0.weight"),
            ("features.blocks.0.project.weight", "features.1.conv.1.weight"),
            ("features.blocks.0.project.norm.beta", "features.1.conv.2.bias"),
            ("features.blocks.1.expand.norm.gamma", "features.2.conv.0.1.weight"),
            ("features.blocks.1.depthwise.weight", "features.2.conv.1.0.weight"),
            ("features.blocks.16.project.weight", "features.17.conv.2.weight"),
            ("features.blocks.16.project.norm.running_mean", "features.17.conv.3.running_mean"),
            ("features.last.weight", "features.18.0.weight"),
            ("classifier.bias", "classifier.1.bias"),
        ] {
            assert_eq!(torchvision(ours).as_deref(), Some(theirs), "{ours}");
        }
        assert_eq!(torchvision("head.0.weight"), None);
        assert_eq!(torchvision("features.blocks.x.expand.weight"), None);
    }
}
