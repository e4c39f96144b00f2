//! Weights from the files of other frameworks: PyTorch's `.pth` and safetensors.
//!
//! A file is taken whole or refused: [`Weights::apply`] wants every parameter of the module in the
//! file, with its shape, and every tensor of the file in the module. Shapes and names are
//! PyTorch's. `train` and `predict` load pretrained models with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::store::{ModuleStore, PytorchStore, SafetensorsStore, bridge};
use burn::tensor::{Tensor, TensorData};

use converge_data::caught::caught;

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The name of the file has none of the known endings.
    #[error("`{}` is no file of weights known here; there are .pth, .pt and .safetensors", .0.display())]
    Format(PathBuf),
    /// The file cannot be read, or not as what its name says.
    #[error("cannot read the weights in `{}`: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The weights are those of another network.
    #[error("the weights in `{}` are of another network: {}", path.display(), list(mismatches))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every tensor that does not fit, in the order of the network.
        mismatches: Vec<Mismatch>,
    },
}

/// A tensor of a file that does not fit the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Its name in the file.
    pub name: String,
    /// What is wrong with it, to follow the name.
    pub problem: String,
}

/// The first few mismatches, and how many more there are.
fn list(mismatches: &[Mismatch]) -> String {
    const SHOWN: usize = 4;
    let shown = mismatches.iter().take(SHOWN);
    let mut text: Vec<String> =
        shown.map(|mismatch| format!("`{}` {}", mismatch.name, mismatch.problem)).collect();
    if mismatches.len() > SHOWN {
        text.push(format!("and {} more tensors", mismatches.len() - SHOWN));
    }
    text.join("; ")
}

/// The tensors of a file.
pub struct Weights {
    path: PathBuf,
    tensors: BTreeMap<String, TensorData>,
}

impl Weights {
    /// Reads the file at `path`, by the ending of its name.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let unreadable =
            |reason: String| WeightsError::Unreadable { path: path.to_owned(), reason };
        let read = || match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("pth" | "pt") => {
                let store = PytorchStore::from_file(path).map_indices_contiguous(false);
                tensors(store).map_err(unreadable)
            }
            Some("safetensors") => {
                let store = SafetensorsStore::from_file(path).map_indices_contiguous(false);
                tensors(store).map_err(unreadable)
            }
            _ => Err(WeightsError::Format(path.to_owned())),
        };
        // The readers are not made for damaged files everywhere.
        let tensors =
            caught(read).unwrap_or_else(|_| Err(unreadable("the file is damaged".to_owned())))?;
        Ok(Self { path: path.to_owned(), tensors })
    }

    /// The length of the first axis of the tensor `name`.
    pub fn length(&self, name: &str) -> Option<usize> {
        self.tensors.get(name)?.shape().first().copied()
    }

    /// `module` with these weights. `name_of` gives the name in the file of a parameter by its name
    /// in the module; tensors that `is_ignored` names may be left over.
    pub fn apply<M: Module>(
        &self,
        module: M,
        name_of: impl Fn(&str) -> Option<String>,
        is_ignored: impl Fn(&str) -> bool,
    ) -> Result<M, WeightsError> {
        let mut mapper = Apply {
            tensors: &self.tensors,
            name_of,
            path: vec![],
            used: BTreeSet::new(),
            mismatches: vec![],
        };
        let module = module.map(&mut mapper);
        let Apply { used, mut mismatches, .. } = mapper;
        let left_over = self.tensors.keys().filter(|name| {
            // PyTorch's count of batches, which its momentum does not need.
            !name.ends_with("num_batches_tracked") && !used.contains(*name) && !is_ignored(name)
        });
        mismatches.extend(left_over.map(|name| Mismatch {
            name: name.clone(),
            problem: "is in the file, but not in the network".to_owned(),
        }));
        if mismatches.is_empty() {
            Ok(module)
        } else {
            Err(WeightsError::Mismatch { path: self.path.clone(), mismatches })
        }
    }
}

fn tensors<S: ModuleStore>(mut store: S) -> Result<BTreeMap<String, TensorData>, String>
where
    S::Error: Display,
{
    let lazy = store.get_all_tensors().map_err(|error| error.to_string())?;
    let read = lazy.iter().map(|(name, tensor)| {
        let data = bridge::to_data(tensor).map_err(|error| format!("`{name}`: {error}"))?;
        Ok((name.clone(), data))
    });
    read.collect()
}

/// Puts the tensors of a file into a module.
struct Apply<'a, F> {
    tensors: &'a BTreeMap<String, TensorData>,
    name_of: F,
    path: Vec<String>,
    used: BTreeSet<String>,
    mismatches: Vec<Mismatch>,
}

impl<F: Fn(&str) -> Option<String>> Apply<'_, F> {
    /// The data for the parameter at the current path, which has `dims`.
    fn find<const D: usize>(&mut self, dims: [usize; D]) -> Option<TensorData> {
        let path = self.path.join(".");
        let name = (self.name_of)(&path).unwrap_or(path);
        let problem = match self.tensors.get(&name) {
            None => "is not in the file".to_owned(),
            Some(data) => {
                let mut expected = dims;
                if D == 2 {
                    // PyTorch keeps dense weights as [outputs, inputs], Burn as [inputs, outputs].
                    expected.reverse();
                }
                self.used.insert(name.clone());
                if data.shape().as_slice() == expected {
                    let data = data.clone().convert::<f32>();
                    if data.iter::<f32>().all(f32::is_finite) {
                        return Some(data);
                    }
                    "has values that are no numbers".to_owned()
                } else {
                    format!(
                        "is {:?} in the file, {expected:?} in the network",
                        data.shape().as_slice()
                    )
                }
            }
        };
        self.mismatches.push(Mismatch { name, problem });
        None
    }
}

impl<F: Fn(&str) -> Option<String>> ModuleMapper for Apply<'_, F> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(data) = self.find(param.val().dims()) else { return param };
        param.map(|old| {
            let device = old.device();
            let mut tensor = Tensor::<D>::from_data(data, &device);
            if D == 2 {
                tensor = tensor.transpose();
            }
            tensor.set_require_grad(old.is_require_grad())
        })
    }
}
