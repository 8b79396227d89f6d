import torch
from safetensors.torch import save_file

def save_run(path, steps, model, *optimizers):
    tensors = {f"weights/{name}": value for name, value in model.state_dict().items()}
    states = {id(p): state for optimizer in optimizers for p, state in optimizer.state.items()}
    for name, parameter in model.named_parameters():
        state = states.get(id(parameter), {"step": torch.tensor(0)})
        tensors |= {f"{key}/{name}": v for key, v in state.items() if torch.is_tensor(v)}
    tensors["steps"] = torch.tensor(steps)
    save_file({name: v.detach().cpu().clone().contiguous() for name, v in tensors.items()}, path)
