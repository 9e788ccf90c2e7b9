#!/usr/bin/env bash
# A Slurm job: one rank a core on every machine. Change what the cluster wants and submit it with
#   sbatch experiments/cluster/slurm.sh --model cifar_cnn --epochs 5
# All arguments are dp_compare's.
#SBATCH --job-name=dp_compare
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=1
#SBATCH --time=00:30:00
#SBATCH --exclusive
#SBATCH --output=dp_compare-%j.log
set -euo pipefail

# The folder that sbatch was called in: a checkout that all machines see, with a build for the oldest
# of their CPUs (-DDP_NATIVE=OFF, or built on one of them).
cd -- "$SLURM_SUBMIT_DIR"
srun --mpi=pmix --cpu-bind=cores build/dp_compare --mode mpi --out "results/slurm-$SLURM_JOB_ID" "$@"
