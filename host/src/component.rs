//! A compiled component, checked to be one of ours.

use crate::bindings::ProcessorPre;
use crate::instance::Guest;
use crate::world::{Difference, World};
use crate::{Engine, Error, Instance, Key, Limits, Session};
use std::sync::Arc;
use wasmtime::component::Linker;

/// A compiled component. Cheap to clone; instances of it are made by any thread.
#[derive(Clone)]
pub struct Component {
    engine: Engine,
    processor: ProcessorPre<Guest>,
    exports: Arc<[String]>,
    world: Arc<World>,
}

impl Component {
    pub(crate) fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, Error> {
        Self::checked(engine, bytes, None)
    }

    /// Compiles a component that is to take the place of this one, and checks that its world is the same, or more.
    pub(crate) fn successor(&self, bytes: &[u8]) -> Result<Self, Error> {
        Self::checked(&self.engine, bytes, Some(&self.world))
    }

    fn checked(engine: &Engine, bytes: &[u8], before: Option<&World>) -> Result<Self, Error> {
        let compiled = wasmtime::component::Component::from_binary(engine.wasmtime(), bytes)
            .map_err(|error| Error::Compile(format!("{error:#}")))?;
        let component = compiled.component_type();
        let world = World::of(&component, engine.wasmtime());
        if let Some(before) = before {
            let difference = before.difference(&world);
            // One that only imports too much is told so below.
            if !(difference.missing.is_empty() && difference.changed.is_empty()) {
                return Err(Error::World(format!("it differs from the one that runs:\n{difference}")));
            }
        }
        let imports: Vec<_> = component.imports(engine.wasmtime()).map(|(name, _)| name.to_owned()).collect();
        if !imports.is_empty() {
            return Err(Error::Imports(imports));
        }
        let exports = component.exports(engine.wasmtime()).map(|(name, _)| name.to_owned()).collect();
        // Nothing is defined in the linker: a component that imports nothing needs nothing.
        let processor = Linker::new(engine.wasmtime())
            .instantiate_pre(&compiled)
            .and_then(ProcessorPre::new)
            .map_err(|error| Error::World(format!("{error:#}")))?;
        Ok(Self { engine: engine.clone(), processor, exports, world: Arc::new(world) })
    }

    /// How another component differs from this one in what it exports and imports.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Difference {
        self.world.difference(&other.world)
    }

    /// A new instance: about ten microseconds.
    ///
    /// # Errors
    /// [`Error::Busy`] where every slot of the pool is taken, [`Error::Failed`] where the guest fails at its start.
    pub fn instantiate(&self) -> Result<Instance, Error> {
        self.instantiate_within(Limits::of(self.engine.config()))
    }

    /// A new instance with limits of its own.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub fn instantiate_within(&self, limits: Limits) -> Result<Instance, Error> {
        Instance::new(&self.engine, &self.processor, limits)
    }

    /// A session in a new instance of its own.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate); [`Error::Config`] where the guest refuses the configuration.
    pub fn open(&self, key: &Key, config: &sidetone_session::Config) -> Result<Session, Error> {
        Session::open(self.instantiate()?, key, config)
    }

    /// Names of what the component exports.
    #[must_use]
    pub fn exports(&self) -> &[String] {
        &self.exports
    }

    /// The engine it was compiled by.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component").field("exports", &self.exports).finish_non_exhaustive()
    }
}
