//! A program as it calls CUDA: through the functions of the driver alone.
#![allow(unsafe_code, reason = "an interface of C")]

use burn_descent_ptx::driver::*;
use burn_descent_ptx::{Status, driver};
use core::ffi::{CStr, c_void};
use core::ptr::null_mut;

const SCALE: &CStr = c"
.version 8.8
.target sm_90
.address_size 64

// y[i] = factor * x[i], two to a thread
.visible .entry scale(
    .param .u64 .ptr .align 1 scale_param_0,
    .param .u64 .ptr .align 1 scale_param_1,
    .param .f32 scale_param_2,
    .param .u32 scale_param_3
)
.maxntid 32, 1, 1
{
    .reg .pred  %p<2>;
    .reg .b32   %r<10>;
    .reg .b64   %rd<7>;

    mov.u32     %r1, %ctaid.x;
    mov.u32     %r2, %tid.x;
    shl.b32     %r3, %r1, 5;
    or.b32      %r4, %r3, %r2;
    ld.param.b32    %r5, [scale_param_3];
    setp.ge.u32     %p1, %r4, %r5;
    @%p1 bra    $L__BB0_2;
    ld.param.b64    %rd1, [scale_param_0];
    ld.param.b64    %rd2, [scale_param_1];
    ld.param.b32    %r6, [scale_param_2];
    cvta.to.global.u64  %rd3, %rd1;
    cvta.to.global.u64  %rd4, %rd2;
    mul.wide.u32    %rd5, %r4, 8;
    add.s64     %rd6, %rd3, %rd5;
    ld.global.nc.v2.b32 {%r7, %r8}, [%rd6];
    mul.rn.f32  %r7, %r7, %r6;
    mul.rn.f32  %r8, %r8, %r6;
    add.s64     %rd6, %rd4, %rd5;
    st.global.v2.b32    [%rd6], {%r7, %r8};
$L__BB0_2:
    ret;
}
";

fn well(status: Status) {
    assert_eq!(status, Status::SUCCESS);
}

#[test]
fn a_program() {
    let numbers: Vec<f32> = (0..200).map(|n| n as f32).collect();
    let bytes = 4 * numbers.len();
    let mut results = vec![0f32; numbers.len()];
    let (mut from, mut to, mut pitched) = (0, 0, 0);
    let (mut context, mut stream, mut module, mut function) =
        (null_mut(), null_mut(), null_mut(), null_mut());
    let (mut start, mut end) = (null_mut(), null_mut());
    let mut counted = 0;
    let mut text = core::ptr::null();
    // SAFETY: all pointers are those of variables above, and all lengths are theirs.
    unsafe {
        well(cuInit(0));
        well(cuDeviceGetCount(&mut counted));
        assert_eq!(counted, 1);
        well(cuDevicePrimaryCtxRetain(&mut context, 0));
        well(cuCtxSetCurrent(context));
        well(cuStreamCreateWithPriority(&mut stream, 1, 0));
        well(cuEventCreate(&mut start, 0));
        well(cuEventCreate(&mut end, 0));
        well(cuMemAlloc_v2(&mut from, bytes));
        well(cuMemAllocAsync(&mut to, bytes, stream));
        well(cuMemcpyHtoDAsync_v2(from, numbers.as_ptr().cast(), bytes, stream));

        well(cuModuleLoadData(&mut module, SCALE.as_ptr().cast()));
        let absent = cuModuleGetFunction(&mut function, module, c"absent".as_ptr());
        assert_eq!(absent, Status::NOT_FOUND);
        well(cuModuleGetFunction(&mut function, module, c"scale".as_ptr()));
        let launch = |mut count: u32, block| {
            let (mut from, mut to, mut factor) = (from, to, 1.5f32);
            let mut parameters: [*mut c_void; 4] = [
                (&raw mut from).cast(),
                (&raw mut to).cast(),
                (&raw mut factor).cast(),
                (&raw mut count).cast(),
            ];
            let parameters = parameters.as_mut_ptr();
            cuLaunchKernel(function, 4, 1, 1, block, 1, 1, 0, stream, parameters, null_mut())
        };
        well(cuEventRecord(start, stream));
        assert_eq!(launch(100, 64), Status::INVALID_VALUE);
        well(launch(100, 32));
        well(cuEventRecord(end, stream));
        assert_eq!(ptx_emulator_launches(), 1);
        well(cuMemcpyDtoHAsync_v2(results.as_mut_ptr().cast(), to, bytes, stream));
        well(cuStreamSynchronize(stream));
        assert!(numbers.iter().zip(&results).all(|(x, y)| x * 1.5 == *y));
        let mut milliseconds = -1.0;
        well(cuEventElapsedTime(&mut milliseconds, start, end));
        assert!(milliseconds >= 0.0);

        // ten rows of twenty, with room for 32, and back
        well(cuMemAlloc_v2(&mut pitched, 10 * 128));
        let side = |kind, host, device, pitch| driver::Side {
            x: 0,
            y: 0,
            kind,
            host,
            device,
            array: null_mut(),
            pitch,
        };
        let rows = driver::Copy2D {
            from: side(2, null_mut(), from, 80),
            to: side(2, null_mut(), pitched, 128),
            width: 80,
            height: 10,
        };
        well(cuMemcpy2DAsync_v2(&rows, stream));
        let host = results.as_mut_ptr().cast();
        let rows = driver::Copy2D { from: rows.to, to: side(1, host, 0, 80), ..rows };
        well(cuMemcpy2DAsync_v2(&rows, stream));
        assert_eq!(results, numbers);
        let mut row = [0u32; 32];
        well(cuMemcpyDtoHAsync_v2(row.as_mut_ptr().cast(), pitched, 128, stream));
        assert!(row[20..].iter().all(|bits| *bits == u32::MAX));

        // one thread more than there are numbers
        assert_eq!(launch(101, 32), Status::ILLEGAL_ADDRESS);
        assert_eq!(cuStreamSynchronize(stream), Status::ILLEGAL_ADDRESS);
        assert_eq!(cuMemAlloc_v2(&mut pitched, 8), Status::ILLEGAL_ADDRESS);
        well(cuGetErrorName(Status::ILLEGAL_ADDRESS, &mut text));
        assert_eq!(CStr::from_ptr(text), c"CUDA_ERROR_ILLEGAL_ADDRESS");
        well(cuEventDestroy_v2(start));
        well(cuStreamDestroy_v2(stream));
    }
}
