#include "core/train/data_job.hpp"

#include "core/data/batch_loader.hpp"

namespace dp::core {

Job make_data_job(const RunConfig& config, const Dataset& data, const StateDict* initial,
                  RunListener& listener) {
    Job job;
    job.config = config;
    job.model = &find_model(config.model);
    job.data = &data;
    job.initial = initial;
    job.listener = &listener;
    job.started = std::chrono::steady_clock::now();
    job.training = [&data, config](std::size_t rank, std::size_t world_size) {
        return make_training_source(data, {rank, world_size, config.batch_size, config.seed,
                                           config.shuffle, config.augment, config.steps_limit});
    };
    job.evaluation = [&data, config](std::size_t rank, std::size_t world_size) {
        return make_evaluation_source(data, rank, world_size, config.batch_size);
    };
    return job;
}

}  // namespace dp::core
