//! Devices by name: `flex`, `ndarray`, `wgpu`, `cuda:1`, …
//!
//! Every backend compiled in can be chosen at run time. `train`, `evaluate` and `predict` open
//! one; `devices` lists them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, DeviceType, Tensor};

/// A device that this program cannot use.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The name is not that of a backend.
    #[error("there is no device `{name}`; this program has: {}", available.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        available: Vec<String>,
    },
    /// The backend exists, but was not compiled in.
    #[error(
        "device `{name}` is not compiled in; this program has: {}. Build it with `cargo build \
         --release --features {feature}`", available.join(", ")
    )]
    NotCompiled {
        /// What was asked for.
        name: String,
        /// The feature that brings it.
        feature: String,
        /// What there is.
        available: Vec<String>,
    },
    /// The backend is compiled in, but the machine has no such device.
    #[error("device `{name}` was not found on this machine; there are: {}", available.join(", "))]
    Missing {
        /// What was asked for.
        name: String,
        /// What there is.
        available: Vec<String>,
    },
    /// The device exists, but a first small computation on it failed.
    #[error("device `{name}` does not work: a first computation on it failed ({reason})")]
    Broken {
        /// What was asked for.
        name: String,
        /// Burn's message.
        reason: String,
    },
}

/// A backend: the name users type, and its devices on this machine.
struct Backend {
    name: &'static str,
    kind: Option<DeviceType>,
}

/// All backends, in the order in which the default device is chosen.
fn backends() -> Vec<Backend> {
    macro_rules! backend {
        ($feature:literal, $kind:ident) => {
            Backend {
                name: $feature,
                #[cfg(feature = $feature)]
                kind: Some(DeviceType::$kind),
                #[cfg(not(feature = $feature))]
                kind: None,
            }
        };
    }
    vec![
        backend!("flex", Flex),
        backend!("ndarray", NdArray),
        backend!("wgpu", Wgpu),
        backend!("vulkan", Vulkan),
        backend!("metal", Metal),
        backend!("cuda", Cuda),
        backend!("rocm", Rocm),
        backend!("cpu", Cpu),
    ]
}

/// A device found on this machine.
#[derive(Debug, Clone)]
pub struct Found {
    /// The name to give to `--device`.
    pub name: String,
    /// What Burn calls it.
    pub description: String,
    device: Device,
}

/// The devices of the backends compiled in.
pub fn list() -> Vec<Found> {
    let compiled = backends().into_iter().filter_map(|backend| Some((backend.name, backend.kind?)));
    compiled.flat_map(|(name, kind)| devices_of(name, kind)).collect()
}

fn devices_of(name: &str, kind: DeviceType) -> Vec<Found> {
    // A backend without a driver may panic instead of listing nothing.
    let devices = catch_unwind(AssertUnwindSafe(|| Device::enumerate(kind).into_vec()));
    let devices = devices.unwrap_or_default();
    let only = devices.len() == 1;
    let named = devices.into_iter().enumerate().map(|(index, device)| Found {
        name: if only { name.to_owned() } else { format!("{name}:{index}") },
        description: format!("{device:?}"),
        device,
    });
    named.collect()
}

/// The names of the backends that are not compiled in.
pub fn not_compiled() -> Vec<&'static str> {
    let missing = backends().into_iter().filter(|backend| backend.kind.is_none());
    missing.map(|backend| backend.name).collect()
}

/// Whether `backend` is one and compiled in.
pub fn is_compiled(backend: &str) -> bool {
    backends().iter().any(|entry| entry.name == backend && entry.kind.is_some())
}

/// The backend that is used when none is asked for: the first one compiled in.
pub fn default_name() -> &'static str {
    let first = backends().into_iter().find(|backend| backend.kind.is_some());
    first.map_or("none", |backend| backend.name)
}

/// Opens the device `name`: a backend (its first device) or `backend:index`.
pub fn open(name: &str) -> Result<Device, DeviceError> {
    let available = || list().into_iter().map(|found| found.name).collect::<Vec<_>>();
    let (backend, index) = name.split_once(':').unwrap_or((name, "0"));
    let unknown = || DeviceError::Unknown { name: name.to_owned(), available: available() };
    let index: usize = index.parse().map_err(|_| unknown())?;
    let entry = backends().into_iter().find(|entry| entry.name == backend).ok_or_else(unknown)?;
    let kind = entry.kind.ok_or_else(|| DeviceError::NotCompiled {
        name: name.to_owned(),
        feature: backend.to_owned(),
        available: available(),
    })?;
    let found = devices_of(backend, kind)
        .into_iter()
        .nth(index)
        .ok_or_else(|| DeviceError::Missing { name: name.to_owned(), available: available() })?;
    probe(name, &found.device)?;
    Ok(found.device)
}

/// A first small computation, so that a broken driver shows here and not within a run.
fn probe(name: &str, device: &Device) -> Result<(), DeviceError> {
    let broken = |reason: String| DeviceError::Broken { name: name.to_owned(), reason };
    let two = catch_unwind(AssertUnwindSafe(|| {
        (Tensor::<1>::ones([2], device)).sum().try_into_scalar::<f32>()
    }));
    match two {
        Ok(Ok(value)) if (value - 2.0).abs() < 1e-6 => Ok(()),
        Ok(Ok(value)) => Err(broken(format!("1 + 1 was {value}"))),
        Ok(Err(error)) => Err(broken(error.to_string())),
        Err(_) => Err(broken("the backend panicked".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_an_error_that_lists_what_is() {
        let message = |name| open(name).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message("gpu").contains("there is no device `gpu`; this program has:"));
        assert!(message("flex:one").contains("there is no device `flex:one`"));
        #[cfg(feature = "flex")]
        assert!(
            message("flex:7").contains("`flex:7` was not found on this machine; there are: flex")
        );
        #[cfg(not(feature = "metal"))]
        assert!(message("metal").contains("--features metal"));
    }
}
