#!/usr/bin/env python3
"""Images/s of PyTorch on cifar_cnn with batches of 128 per worker, for vs_pytorch.sh.

    pytorch_step.py THREADS          one process with so many intra-op threads
    pytorch_step.py ddp WORKERS      DistributedDataParallel over Gloo, one thread a worker
    pytorch_step.py blas             names the BLAS that its linear layers run on, measures nothing

Tensors in memory, channels-last, SGD with momentum and weight decay, dropout; forward, loss,
backward, update. The median of 30 steps after 5 that warm up (of the slowest worker).
"""
import os
import statistics
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F

BATCH = 128


class CifarCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32)
        self.conv2, self.bn2 = nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64)
        self.conv3, self.bn3 = nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128)
        self.fc1, self.fc2 = nn.Linear(2048, 512), nn.Linear(512, 10)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        x = F.max_pool2d(F.relu(self.bn3(self.conv3(x))), 2)
        return self.fc2(self.dropout(F.relu(self.fc1(x.flatten(1)))))


def median_step_seconds(network):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    images = torch.randn(BATCH, 3, 32, 32).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (BATCH,))
    seconds = []
    for _ in range(35):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(images), labels).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[5:])


def run_worker(rank, workers, meeting, results):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=workers)
    network = nn.parallel.DistributedDataParallel(CifarCnn().to(memory_format=torch.channels_last))
    results[rank] = median_step_seconds(network)
    dist.destroy_process_group()


def blas():
    torch.rand(64, 64) @ torch.rand(64, 64)
    with open("/proc/self/maps") as maps:
        libraries = {os.path.realpath(line.split()[-1]) for line in maps if "/" in line}
    for name in ("mkl", "openblas", "blis", "atlas"):
        if any(name in library for library in libraries):
            return name
    # A torch without any of them has one of its own inside.
    return "reference" if any("libblas" in library for library in libraries) else "built-in BLAS"


def main():
    if sys.argv[1] == "blas":
        print(blas())
    elif sys.argv[1] == "ddp":
        workers = int(sys.argv[2])
        with tempfile.TemporaryDirectory() as folder, mp.Manager() as manager:
            results = manager.dict()
            meeting = os.path.join(folder, "meeting")
            mp.spawn(run_worker, args=(workers, meeting, results), nprocs=workers)
            print(workers * BATCH / max(results.values()))
    else:
        torch.set_num_threads(int(sys.argv[1]))
        print(BATCH / median_step_seconds(CifarCnn().to(memory_format=torch.channels_last)))


if __name__ == "__main__":
    main()
