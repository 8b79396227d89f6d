//! The device: its memory, what is loaded on it, and what went wrong on it.

use crate::launch::{self, Launch, Scratch};
use crate::memory::Memory;
use crate::parse;
use crate::program::Kernel;
use crate::report::{Counters, Wishes};
use crate::status::Status;

/// The device.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) memory: Memory,
    pub(crate) counters: Counters,
    pub(crate) wishes: Wishes,
    modules: Vec<Option<Module>>,
    functions: Vec<Function>,
    scratch: Scratch,
    /// The first fault of a kernel: after it, nothing works any more.
    fault: Option<Status>,
}

/// A module that is loaded.
#[derive(Debug)]
struct Module {
    /// The numbers of its kernels.
    functions: Vec<usize>,
    /// The addresses of its variables.
    variables: Vec<u64>,
}

#[derive(Debug)]
struct Function {
    kernel: Kernel,
    module: usize,
}

impl Device {
    pub(crate) fn new(wishes: Wishes) -> Self {
        Self {
            memory: Memory::new(),
            counters: Counters::default(),
            wishes,
            modules: Vec::new(),
            functions: Vec::new(),
            scratch: Scratch::default(),
            fault: None,
        }
    }

    /// An error if a kernel has done wrong before.
    pub(crate) fn sound(&self) -> Result<(), Status> {
        self.fault.map_or(Ok(()), Err)
    }

    /// Allocates memory.
    pub(crate) fn allocate(&mut self, size: u64) -> Result<u64, Status> {
        self.sound()?;
        let address = self.memory.allocate(size)?;
        self.counters.allocations += 1;
        self.counters.bytes += size;
        Ok(address)
    }

    /// Loads a module, and returns its number.
    pub(crate) fn load(&mut self, ptx: &str) -> Result<usize, Status> {
        self.sound()?;
        self.wishes.dump(ptx);
        let parsed = parse::module(ptx).map_err(|refusal| {
            eprintln!("ptx emulator: {refusal}");
            Status::INVALID_PTX
        })?;
        self.counters.modules += 1;
        let mut variables = Vec::new();
        for variable in &parsed.variables {
            let address = self.memory.allocate(variable.bytes.len().max(1) as u64)?;
            let mut rest = variable.bytes.as_slice();
            self.memory.write_all(address, rest.len(), |piece| {
                let (now, later) = rest.split_at(piece.len());
                piece.copy_from_slice(now);
                rest = later;
            })?;
            variables.push(address);
        }
        let (module, first) = (self.modules.len(), self.functions.len());
        let functions = parsed.kernels.into_iter().map(|kernel| Function { kernel, module });
        self.functions.extend(functions);
        let functions = (first..self.functions.len()).collect();
        self.modules.push(Some(Module { functions, variables }));
        Ok(module)
    }

    /// Forgets a module.
    pub(crate) fn unload(&mut self, module: usize) -> Result<(), Status> {
        let found = self.modules.get_mut(module).and_then(Option::take);
        for address in found.ok_or(Status::INVALID_HANDLE)?.variables {
            self.memory.free(address)?;
        }
        Ok(())
    }

    /// The number of a kernel of a module.
    pub(crate) fn function(&self, module: usize, name: &str) -> Result<usize, Status> {
        let module = self.modules.get(module).and_then(Option::as_ref);
        let functions = &module.ok_or(Status::INVALID_HANDLE)?.functions;
        let found = functions.iter().find(|number| self.functions[**number].kernel.name == name);
        found.copied().ok_or(Status::NOT_FOUND)
    }

    /// Where each parameter of a kernel lies among all of them, and its size.
    pub(crate) fn parameters(&self, function: usize) -> Result<&[(usize, usize)], Status> {
        let function = self.functions.get(function).ok_or(Status::INVALID_HANDLE)?;
        Ok(&function.kernel.parameters)
    }

    /// Runs a kernel.
    pub(crate) fn launch(
        &mut self,
        function: usize,
        grid: [u32; 3],
        block: [u32; 3],
        shared: u32,
        parameters: &[u8],
    ) -> Result<(), Status> {
        self.sound()?;
        let Function { kernel, module } =
            self.functions.get(function).ok_or(Status::INVALID_HANDLE)?;
        let module = self.modules[*module].as_ref().ok_or(Status::INVALID_HANDLE)?;
        let launch = Launch { grid, block, shared, parameters, variables: &module.variables };
        launch.check(kernel)?;
        self.counters.launches += 1;
        self.counters.threads += launch.all_threads();
        self.counters.launched.insert(function);
        if self.wishes.trace {
            let ([a, b, c], [x, y, z]) = (grid, block);
            eprintln!("ptx emulator: {} grid {a} {b} {c} block {x} {y} {z}", kernel.name);
        }
        if self.wishes.run.is_some_and(|count| self.counters.launches > count) {
            return Ok(());
        }
        let run = launch::run(kernel, &launch, &mut self.memory, &mut self.scratch);
        run.map_err(|fault| {
            let (name, line) = (&kernel.name, &kernel.texts[fault.at]);
            eprintln!("ptx emulator: {name}: `{line}`: {}", fault.text);
            self.counters.faults += 1;
            self.fault = Some(fault.status);
            fault.status
        })
    }
}
