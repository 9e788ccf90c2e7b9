#include "core/train/worker.hpp"

#include <omp.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/affinity.hpp"
#include "core/base/error.hpp"
#include "core/nn/network.hpp"
#include "core/train/divergence.hpp"
#include "core/train/gather.hpp"
#include "core/train/hand_over.hpp"
#include "core/train/model_state.hpp"
#include "core/train/progress.hpp"

namespace dp::core {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

void append_batch_sizes(const BatchSource& source, std::vector<std::size_t>& sizes) {
    for (std::size_t step = 0; step < source.steps(); ++step) {
        const std::size_t size = source.batch_size(step);
        if (std::ranges::find(sizes, size) == sizes.end()) sizes.push_back(size);
    }
}

class Worker {
public:
    Worker(const Job& job, const NetworkLayout& layout, const WorkerBlocks& blocks,
           GradientExchange& exchange)
        : job_(job),
          layout_(layout),
          blocks_(blocks),
          exchange_(exchange),
          hand_over_(exchange, blocks),
          optimizer_(make_optimizer(job.config.optimizer)),
          gradient_scale_(1.F / static_cast<float>(blocks.world_size)),
          progress_(job, first_rank(), blocks.ranks.size()) {
#pragma omp parallel
        flush_denormals();
        std::size_t at = 0;
        for (const Range& range : exchange_.update_ranges()) {
            const std::size_t size = optimizer_->state_blocks() * range.size;
            // Of a block that all share, a range's state begins where the range does.
            if (blocks_.shared) at = optimizer_->state_blocks() * range.offset;
            own_.push_back({range, blocks_.optimizer_state.subspan(at, size)});
            at += size;
        }
        job_.listener->on_worker_start(rank(), getpid());
        std::vector<std::size_t> training_sizes;
        std::vector<std::size_t> evaluation_sizes;
        for (const RankBlocks& rank : blocks_.ranks) {
            shares_.push_back({rank,
                               job_.training(rank.rank, blocks_.world_size),
                               job_.evaluation(rank.rank, blocks_.world_size),
                               {}});
            append_batch_sizes(*shares_.back().training, training_sizes);
            append_batch_sizes(*shares_.back().evaluation, evaluation_sizes);
        }
        network_ =
            std::make_unique<Network>(*job_.model, layout_, training_sizes, evaluation_sizes);
        const std::size_t largest = network_->input().size() / job_.model->input.size();
        labels_.resize(largest);
        samples_.resize(largest);
        bind(shares_.front());
        progress_.make_trace(exchange_.buckets().size(), worker_count());
    }

    RunResult run() {
        meet(exchange_, worker_count());  // so that no rank's epoch contains another's set-up
        report_.rank = rank();
        report_.pid = getpid();
        report_.threads = static_cast<std::size_t>(omp_get_max_threads());
        report_.cpus = current_cpus();
        report_.setup_seconds = seconds_since(job_.started);
        for (std::size_t epoch = 0; epoch < job_.config.epochs; ++epoch) run_epoch(epoch);
        if (job_.config.epochs == 0) evaluate();
        finish();
        report_.trace = progress_.take_trace();
        report_.steps = progress_.take_steps();
        collect_reports();
        return std::move(result_);
    }

private:
    struct Share {
        RankBlocks blocks;
        std::unique_ptr<BatchSource> training;
        std::unique_ptr<BatchSource> evaluation;
        ImageSums sums;  // of the current pass over the data
    };

    [[nodiscard]] std::size_t first_rank() const { return blocks_.ranks.front().rank; }
    /// The worker's, as the exchange counts.
    [[nodiscard]] std::size_t rank() const { return first_rank() / blocks_.ranks.size(); }
    [[nodiscard]] bool leads() const { return first_rank() == 0; }

    void run_epoch(std::size_t number) {
        progress_.begin_epoch(number);
        const ThreadUsage usage_before = read_thread_usage(&counters_);
        // One clock for both, so that the phases sum to this epoch's wall time.
        const std::int64_t began_ns = enter(Phase::kOther);
        const PhaseTimes phases_before = progress_.times();
        const ExchangeStats exchange_before = exchange_.stats();
        const auto start = Clock::now();
        EpochResult epoch;

        for (Share& share : shares_) {
            share.sums = {};
            share.training->begin_epoch(number);
        }
        const std::size_t steps = shares_.front().training->steps();
        report_.arrivals.emplace_back().reserve(steps);
        std::size_t images = 0;
        progress_.begin_steps(steps, exchange_.stats());
        for (std::size_t step = 0; step < steps; ++step) {
            train_step(step);
            images += shares_.front().training->batch_size(step) * blocks_.world_size;
            if (leads()) job_.listener->on_step(number, step + 1, steps, images);
        }
        WorkerEpoch mine;
        for (const Share& share : shares_) mine.images += share.sums.images;
        const ImageSums trained = sum_shares();
        epoch.train_seconds = seconds_since(start);
        epoch.images = trained.images;
        epoch.train_loss = trained.mean_loss();
        epoch.train_accuracy = trained.accuracy();
        check_loss(job_, number, "training", epoch.train_loss);

        const auto evaluation_start = Clock::now();
        evaluate();
        epoch.evaluation_seconds = seconds_since(evaluation_start);
        epoch.test_loss = result_.test_loss;
        epoch.test_accuracy = result_.test_accuracy;

        mine.wall_seconds = 1e-9 * static_cast<double>(enter(Phase::kOther) - began_ns);
        mine.usage = read_thread_usage(&counters_) - usage_before;
        record(mine, phases_before, exchange_before);
        if (!leads()) return;
        result_.epochs.push_back(epoch);
        result_.steps_per_epoch = steps;
        job_.listener->on_epoch(number, epoch);
    }

    void train_step(std::size_t step) {
        StepTrace* const trace = progress_.begin_step(step);
        if (trace != nullptr) exchange_.set_trace(trace);
        enter(Phase::kExchange);
        exchange_.begin_step();
        hand_over_.begin_step(progress_.recorder());
        for (Share& share : shares_) {
            if (shares_.size() > 1) bind(share);
            progress_.take_turn(share.blocks.rank);
            enter(Phase::kLoad);
            Batch batch = batch_of(share.training->batch_size(step));
            share.training->load(step, batch);
            enter(Phase::kForward);
            const DropoutKey dropout{static_cast<float>(job_.config.dropout), job_.config.seed,
                                     progress_.epoch(), step};
            share.sums.add(network_->forward(batch, dropout, progress_.recorder()), batch.size);
            enter(Phase::kBackward);
            // Gradients of ranks that are played in turn are only complete with the last one's.
            const bool last = &share == &shares_.back();
            network_->backward(last && overlaps() ? &hand_over_ : nullptr, progress_.recorder());
        }
        ++batches_tracked_;
        StepArrivals& arrivals = report_.arrivals.back();
        arrivals.exchange_ns.push_back(enter(Phase::kExchange));
        arrivals.off_cpu_ns.push_back(progress_.take_off_cpu_ns());
        hand_over_.complete();
        job_.config.overlap ? exchange_.reduce() : exchange_.reduce_one_by_one();
        enter(Phase::kUpdate);
        update();
        const std::int64_t updated_ns = enter(Phase::kPublish);
        if (may_be_late_at_publish()) arrivals.publish_ns.push_back(updated_ns);
        exchange_.publish(blocks_.parameters);
        enter(Phase::kOther);
        progress_.end_step(exchange_.stats());
        if (trace != nullptr) exchange_.set_trace(nullptr);
    }

    void update() {
        bool finite = true;
        for (const RangeState& own : own_) {
            finite &=
                optimizer_->update({blocks_.parameters, exchange_.summed_gradients(), own.state},
                                   own.range, gradient_scale_, batches_tracked_);
        }
        if (finite) return;
        throw_diverged(job_, layout_.parameters, blocks_.parameters, exchange_.summed_gradients(),
                       own_, {rank(), progress_.epoch(), progress_.step()});
    }

    /// Sums that no exchange waits for may as well follow backward.
    [[nodiscard]] bool overlaps() const {
        return job_.config.overlap && (shares_.size() == 1 || exchange_.traits().overlaps);
    }

    /// Where one rank updates for all, it comes last by design, and the others have done nothing.
    [[nodiscard]] bool may_be_late_at_publish() const {
        const ExchangeTraits& traits = exchange_.traits();
        return traits.meets_at_publish && traits.update != UpdateKind::kCentral;
    }

    /// Every test image once, each by one rank, with rank 0's running statistics.
    void evaluate() {
        enter(Phase::kEvaluate);
        exchange_.broadcast(shares_.front().blocks.statistics);
        bind(shares_.front());
        for (Share& share : shares_) {
            share.sums = {};
            share.evaluation->begin_epoch(progress_.epoch());
            for (std::size_t step = 0; step < share.evaluation->steps(); ++step) {
                Batch batch = batch_of(share.evaluation->batch_size(step));
                share.evaluation->load(step, batch);
                share.sums.add(network_->evaluate(batch), batch.size);
            }
        }
        const ImageSums all = sum_shares();
        check_loss(job_, progress_.epoch(), "test", all.mean_loss());
        result_.test_loss = all.mean_loss();
        result_.test_accuracy = all.accuracy();
        enter(Phase::kOther);
    }

    void finish() {
        measure_memory();
        const std::uint64_t checksum = parameter_checksum(layout_.parameters, blocks_.parameters);
        const auto all = gather(exchange_, std::span(&checksum, 1), worker_count());
        for (std::size_t i = 1; i < all.size(); ++i) {
            if (all[i] == all[0]) continue;
            throw Error(ExitCode::kVerification,
                        "the parameters of worker {} differ from rank 0's (checksums {:016x} and "
                        "{:016x}): the replicas have drifted apart; report this as a bug",
                        i, all[i], all[0]);
        }
        if (!leads()) return;
        result_.update_kind = name_of(exchange_.traits().update);
        result_.reduction = exchange_.traits().name;
        result_.exchange_buckets = exchange_.buckets().size();
        result_.checksum = fmt::format("{:016x}", checksum);
        result_.batches_tracked = batches_before() + batches_tracked_;
        if (!job_.config.save.empty()) {
            save_model(job_, layout_, blocks_.parameters, shares_.front().blocks.statistics,
                       result_.batches_tracked);
        }
        result_.total_seconds = seconds_since(job_.started);
    }

    void collect_reports() {
        for (const std::string& text : exchange_.gather(nlohmann::ordered_json(report_).dump())) {
            result_.workers.push_back(nlohmann::ordered_json::parse(text).get<WorkerReport>());
        }
        if (job_.align_times) job_.align_times(result_);
        if (leads()) attribute_lateness(result_);
    }

    /// All ranks are through their last epoch and none has freed anything: finish() meets again.
    void measure_memory() {
        const std::size_t block = blocks_.parameters.size_bytes();
        report_.memory = {blocks_.owns ? block : 0, blocks_.ranks.size() * block,
                          blocks_.owns ? blocks_.optimizer_state.size_bytes() : 0,
                          network_->activation_bytes()};
        meet(exchange_, worker_count());
        if (blocks_.owns) report_.process_memory = read_process_memory();
        if (leads() && job_.supervisor_memory) {
            result_.supervisor_memory = job_.supervisor_memory();
        }
    }

    std::int64_t enter(Phase phase) { return progress_.enter(phase); }

    void bind(const Share& share) {
        network_->bind({blocks_.parameters, share.blocks.gradients, share.blocks.statistics});
    }

    Batch batch_of(std::size_t size) { return {size, network_->input(), labels_, samples_}; }

    [[nodiscard]] std::size_t worker_count() const {
        return blocks_.world_size / blocks_.ranks.size();
    }

    [[nodiscard]] std::size_t batches_before() const {
        return job_.initial == nullptr ? 0
                                       : static_cast<std::size_t>(job_.initial->batches_tracked);
    }

    ImageSums sum_shares() {
        std::vector<ImageSums> mine;
        for (const Share& share : shares_) mine.push_back(share.sums);
        return sum_over_ranks(exchange_, std::span<const ImageSums>(mine), worker_count());
    }

    void record(WorkerEpoch epoch, const PhaseTimes& phases_before,
                const ExchangeStats& exchange_before) {
        const PhaseTimes spent = progress_.times() - phases_before;
        epoch.phase_seconds = spent.wall;
        if (report_.threads == 1) epoch.phase_cpu_seconds = spent.cpu;
        const ExchangeStats now = exchange_.stats();
        epoch.exchange = {now.wait_seconds - exchange_before.wait_seconds,
                          now.hidden_seconds - exchange_before.hidden_seconds,
                          now.sent_bytes - exchange_before.sent_bytes,
                          now.calls - exchange_before.calls};
        report_.epochs.push_back(epoch);
    }

    const Job& job_;
    const NetworkLayout& layout_;
    const WorkerBlocks& blocks_;
    GradientExchange& exchange_;
    HandOver hand_over_;
    std::unique_ptr<Optimizer> optimizer_;
    float gradient_scale_;
    std::vector<RangeState> own_;  // what this worker updates
    std::vector<Share> shares_;
    std::unique_ptr<Network> network_;
    std::vector<std::int32_t> labels_;
    std::vector<std::uint32_t> samples_;

    HardwareCounters counters_;
    Progress progress_;
    std::uint64_t batches_tracked_ = 0;
    WorkerReport report_;
    RunResult result_;  // rank 0's alone
};

}  // namespace

void flush_denormals() {
#if defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | 0x8040U);  // flush to zero, denormals are zero
#endif
}

RunResult run_worker(const Job& job, const NetworkLayout& layout, const WorkerBlocks& blocks,
                     GradientExchange& exchange) {
    return Worker(job, layout, blocks, exchange).run();
}

}  // namespace dp::core
