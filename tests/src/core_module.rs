//! The core module by itself, called by hand as the canonical ABI does: its memory can be read, and nothing stands
//! between a lie and it.

use std::sync::LazyLock;
use wasmtime::{
    Caller, Config, Engine, ExternType, Instance, Linker, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, Val,
};

/// Most memory of an instance here.
pub const MEMORY: usize = 16 << 20;

/// Most an instance may do, so that none can go on for ever: some hundred seconds of speech.
const FUEL: u64 = 50_000_000_000;

static MODULE: LazyLock<Module> = LazyLock::new(|| {
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("an engine");
    Module::new(&engine, sidetone_artifact::CORE_MODULE).expect("the core module compiles")
});

/// An instance of the core module.
pub struct Core {
    store: Store<StoreLimits>,
    instance: Instance,
    memory: Memory,
}

/// What a call returns that has a list, record or error to give: the address of it, until [`Core::free`].
pub struct Returned {
    post: String,
    /// Address of the value.
    pub address: u32,
}

impl Core {
    /// A fresh one. What it imports is the component model's: a resource's handle, here, is its representation.
    ///
    /// # Panics
    /// Where there is none to be had.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is not cheap")]
    pub fn new() -> Self {
        let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
        let mut store = Store::new(MODULE.engine(), limits);
        store.limiter(|limits| limits);
        store.set_fuel(FUEL).expect("fuel is counted");
        let mut linker = Linker::new(MODULE.engine());
        for import in MODULE.imports() {
            let ExternType::Func(kind) = import.ty() else { panic!("{} is no function", import.name()) };
            let handle = |_: Caller<'_, StoreLimits>, given: &[Val], handle: &mut [Val]| {
                handle.iter_mut().for_each(|to| *to = given[0]);
                Ok(())
            };
            linker.func_new(import.module(), import.name(), kind, handle).expect("one import of a name");
        }
        let instance = linker.instantiate(&mut store, &MODULE).expect("an instance");
        let memory = instance.get_memory(&mut store, "memory").expect("a memory");
        Self { store, instance, memory }
    }

    /// Instructions that it may still take.
    ///
    /// # Panics
    /// Never: this engine counts them.
    #[must_use]
    pub fn fuel(&self) -> u64 {
        self.store.get_fuel().expect("fuel is counted")
    }

    /// All of its linear memory.
    #[must_use]
    pub fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    /// A global that the linker made, such as `__heap_base`.
    ///
    /// # Panics
    /// Where there is none.
    pub fn global(&mut self, name: &str) -> u32 {
        let global = self.instance.get_global(&mut self.store, name).expect("a global");
        global.get(&mut self.store).unwrap_i32().cast_unsigned()
    }

    /// Puts bytes into its memory, as the canonical ABI passes lists.
    ///
    /// # Panics
    /// Where it has no room.
    pub fn put(&mut self, bytes: &[u8], alignment: u32) -> u32 {
        if bytes.is_empty() {
            return alignment;
        }
        let realloc = [0, 0, alignment, bytes.len() as u32].map(int);
        let at = self.call("cabi_realloc", &realloc).expect("room").expect("an address");
        self.memory.write(&mut self.store, at as usize, bytes).expect("an address within memory");
        at
    }

    /// Puts samples into its memory.
    pub fn put_samples(&mut self, samples: &[i16]) -> u32 {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.put(&bytes, 2)
    }

    /// Calls an export of `interface`.
    ///
    /// # Errors
    /// The trap.
    pub fn call_in(&mut self, interface: &str, function: &str, arguments: &[Val]) -> wasmtime::Result<Returned> {
        let name = format!("sidetone:media/{interface}@0.1.0#{function}");
        let address = self.call(&name, arguments)?.unwrap_or(0);
        Ok(Returned { post: format!("cabi_post_{name}"), address })
    }

    /// Gives what was returned back, as a host does after it has read it.
    ///
    /// # Panics
    /// Where that traps.
    pub fn free(&mut self, returned: Returned) {
        if self.instance.get_func(&mut self.store, &returned.post).is_some() {
            self.call(&returned.post, &[int(returned.address)]).expect("freeing traps not");
        }
    }

    /// The 32-bit number `offset` bytes after `address`.
    ///
    /// # Panics
    /// Outside of its memory.
    #[must_use]
    pub fn u32_at(&self, address: u32, offset: u32) -> u32 {
        let at = (address + offset) as usize;
        u32::from_le_bytes(self.memory()[at..at + 4].try_into().expect("four bytes"))
    }

    /// The bytes of the list whose address and length stand `offset` bytes after `address`.
    ///
    /// # Panics
    /// Outside of its memory.
    #[must_use]
    pub fn list_at(&self, address: u32, offset: u32) -> &[u8] {
        let (start, len) = (self.u32_at(address, offset) as usize, self.u32_at(address, offset + 4) as usize);
        &self.memory()[start..start + len]
    }

    fn call(&mut self, name: &str, arguments: &[Val]) -> wasmtime::Result<Option<u32>> {
        let function = self.instance.get_func(&mut self.store, name).unwrap_or_else(|| panic!("no export {name}"));
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        function.call(&mut self.store, arguments, &mut results)?;
        Ok(results.first().map(|value| value.unwrap_i32().cast_unsigned()))
    }
}

/// A 32-bit argument.
#[must_use]
pub const fn int(value: u32) -> Val {
    Val::I32(value.cast_signed())
}

/// Both halves of a key, as arguments.
#[must_use]
pub const fn key(bytes: &[u8; 16]) -> [Val; 2] {
    let value = u128::from_be_bytes(*bytes);
    [Val::I64((value >> 64) as i64), Val::I64(value as i64)]
}

/// A record as the canonical ABI lays it out: little-endian, every number at a multiple of its size.
#[derive(Debug, Clone, Default)]
pub struct Record(pub Vec<u8>);

impl Record {
    /// Adds a byte: an enum, a flag, a small number.
    #[must_use]
    pub fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    /// Adds a 32-bit number.
    #[must_use]
    pub fn u32(self, value: u32) -> Self {
        let mut record = self.align(4);
        record.0.extend(value.to_le_bytes());
        record
    }

    /// Adds a 64-bit number.
    #[must_use]
    pub fn u64(self, value: u64) -> Self {
        let mut record = self.align(8);
        record.0.extend(value.to_le_bytes());
        record
    }

    /// Goes on at a multiple of `to`.
    #[must_use]
    pub fn align(mut self, to: usize) -> Self {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
        self
    }

    /// The arguments of `stream.open`: a key, and the gateway's end of a call with a usual device.
    #[must_use]
    pub fn gateway(key: &[u8; 16], connection_id: u32) -> Self {
        let value = u128::from_be_bytes(*key);
        let role = Self::default().u64((value >> 64) as u64).u64(value as u64).u8(0).u32(connection_id);
        // Opus to PCM, 60 ms, mono, 16 kHz, up to 5 made up, 500 ahead, marked.
        let incoming = role.u8(0).u8(0).u32(60_000).u8(1).u32(16_000).u8(5).u32(500).u8(0).align(4);
        // Opus, 60 ms, mono, 24 kHz, VOIP, bitrate auto, VBR, no DTX, no FEC, no loss, signal, split, timestamps.
        let format = incoming.u8(0).u32(60_000).u8(1).u32(24_000).u8(0).align(4).u8(0).u32(0);
        let outgoing = format.u8(1).u8(0).u8(0).u8(0).u8(0).u8(0).u8(0).align(4);
        // Full quality; nothing to resume: the option's tag, and the room of what is not there.
        let mut config = outgoing.u8(2).align(8).u8(0).align(8);
        config.0.resize(config.0.len() + 48, 0);
        config
    }
}
