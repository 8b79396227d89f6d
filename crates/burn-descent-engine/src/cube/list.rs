//! Lists of tensors across burn's dispatch, which knows single tensors, and structs of as many as their type says.

#[cfg(feature = "fusion")]
use burn::backend::fusion::{
    ExecutionError, Fusion, FusionBackend, FusionRuntime, FusionTensor,
    custom::{self, FusionValueAdapter},
};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{
    Backend, BackendTensor, Dispatch, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind,
    ExtensionType,
};

macro_rules! list {
    ($(#[$doc:meta])* $name:ident of $kind:ident as $variant:ident by $method:ident) => {
        $(#[$doc])*
        pub(super) struct $name<B: Backend>(pub(super) Vec<$kind<B>>);

        impl<B: Backend> ExtensionType<B> for $name<B> {
            type Target = $name<Dispatch>;

            fn map_to_dispatch<F>(self, map: F, autodiff: DispatchAutodiffContext) -> Self::Target
            where
                F: Fn(BackendTensor<B>) -> DispatchTensorKind,
            {
                let wrap = |tensor| {
                    DispatchTensor { kind: map(BackendTensor::$variant(tensor)), autodiff }
                };
                $name(self.0.into_iter().map(wrap).collect())
            }

            fn map_from_dispatch<F>(target: Self::Target, unwrap: F) -> Self
            where
                F: Fn(DispatchTensor) -> BackendTensor<B>,
            {
                Self(target.0.into_iter().map(|tensor| unwrap(tensor).$method()).collect())
            }

            fn routing_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
                target.0.first()
            }

            fn routing_float_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
                let is_float = matches!(stringify!($variant), "Float");
                target.0.first().filter(|_| is_float)
            }

            fn autodiff_context(target: &Self::Target) -> DispatchAutodiffContext {
                let contexts = target.0.iter().map(|tensor| tensor.autodiff);
                contexts.fold(DispatchAutodiffContext::Disabled, DispatchAutodiffContext::merge)
            }
        }

        #[cfg(feature = "fusion")]
        fusion!($name by $variant);
    };
}

/// A list of lazy tensors is the list of what burn keeps of each of them.
#[cfg(feature = "fusion")]
macro_rules! fusion {
    ($name:ident by $variant:ident) => {
        impl<B: Backend> custom::ExtensionMetadata for $name<B> {
            type Metadata = Vec<custom::TensorSpec>;
            type Input = Vec<custom::TensorIr>;
            type Output = Vec<custom::OutputTensor>;
        }

        impl<B: FusionBackend> FusionValueAdapter<B> for $name<B> {
            type Metadata = Vec<custom::TensorSpec>;
            type Input = Vec<custom::TensorIr>;
            type Output = Vec<custom::OutputTensor>;
            type Inner = Self;
            type Fused = $name<Fusion<B>>;

            fn to_metadata(list: &Self::Fused) -> Self::Metadata {
                list.0
                    .iter()
                    .map(<custom::$variant as FusionValueAdapter<B>>::to_metadata)
                    .collect()
            }
            fn visit_fused_tensors(
                list: &Self::Fused,
                visit: &mut impl FnMut(&FusionTensor<B::FusionRuntime>),
            ) {
                list.0.iter().for_each(visit);
            }
            fn tensor_count(meta: &Self::Metadata) -> usize {
                meta.len()
            }
            fn append_input_ir(
                list: Self::Fused,
                inputs: &mut Vec<custom::TensorIr>,
            ) -> Self::Input {
                let each = list.0.into_iter();
                each.map(|one| {
                    <custom::$variant as FusionValueAdapter<B>>::append_input_ir(one, inputs)
                })
                .collect()
            }
            fn resolve_inputs(input: &Self::Input, handles: &mut Handles<B>) -> Self {
                let each = input.iter();
                Self(
                    each.map(|one| {
                        <custom::$variant as FusionValueAdapter<B>>::resolve_inputs(one, handles)
                    })
                    .collect(),
                )
            }
            fn append_output_ir(
                meta: &Self::Metadata,
                out: &mut Vec<custom::TensorIr>,
                create: &mut impl FnMut() -> custom::TensorId,
            ) -> Self::Output {
                let each = meta.iter();
                each.map(|one| {
                    <custom::$variant as FusionValueAdapter<B>>::append_output_ir(one, out, create)
                })
                .collect()
            }
            fn validate_outputs(
                list: &Self,
                output: &Self::Output,
                device: Option<&B::Device>,
            ) -> Result<(), ExecutionError> {
                let mut pairs = list.0.iter().zip(output);
                pairs.try_for_each(|(one, output)| {
                    <custom::$variant as FusionValueAdapter<B>>::validate_outputs(
                        one, output, device,
                    )
                })
            }
            fn register_output_handles(
                list: Self,
                output: &Self::Output,
                handles: &mut Handles<B>,
            ) {
                for (one, output) in list.0.into_iter().zip(output) {
                    <custom::$variant as FusionValueAdapter<B>>::register_output_handles(
                        one, output, handles,
                    );
                }
            }
            fn build_fused_output(
                meta: &Self::Metadata,
                tensors: &mut std::vec::IntoIter<FusionTensor<B::FusionRuntime>>,
            ) -> Self::Fused {
                let each = meta.iter();
                $name(
                    each.map(|one| {
                        <custom::$variant as FusionValueAdapter<B>>::build_fused_output(
                            one, tensors,
                        )
                    })
                    .collect(),
                )
            }
        }
    };
}

/// Where burn's fusion keeps the tensors of a backend.
#[cfg(feature = "fusion")]
type Handles<B> =
    custom::HandleContainer<<<B as FusionBackend>::FusionRuntime as FusionRuntime>::FusionHandle>;

list! {
    /// Tensors of floats.
    List of FloatTensor as Float by float
}

list! {
    /// Tensors of words.
    Words of IntTensor as Int by int
}
