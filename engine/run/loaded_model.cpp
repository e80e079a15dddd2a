// SPDX-License-Identifier: Apache-2.0
#include "engine/run/loaded_model.h"

#include "engine/core/bytes_text.h"
#include "engine/core/error.h"
#include "engine/model/model_folder.h"
#include "engine/model/shapes.h"
#include "engine/ops/planning_backend.h"

#include <ctime>
#include <system_error>

namespace fkv::run {

std::string utcNow() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[sizeof "2026-01-01T00:00:00Z"];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

namespace {

/// From the headers, before anything is read: a model that swaps, or that fails in its last layer,
/// helps nobody.
void checkRoom(const std::filesystem::path& folder, ops::Backend& backend) {
    const LoadedModel plan(folder, ops::makePlanningBackend(backend.info()));
    const std::int64_t needed = plan.info().weightBytes, room = backend.availableBytes();
    if (room > 0 && needed > room)
        throw Error(ErrorCode::OutOfMemory,
                    "the weights need " + bytesText(needed) + ", " + backend.info().name + " has " +
                        bytesText(room) + " to spare",
                    "Close other programs, or choose another device or a smaller model.");
}

} // namespace

LoadedModel::LoadedModel(const std::filesystem::path& path, const ops::DeviceSpec& device,
                         Observer& observer, const std::stop_token& stop)
    : LoadedModel(
          path, [&device] { return ops::makeBackend(device); }, Loading{observer, stop}) {}

LoadedModel::LoadedModel(const std::filesystem::path& path, std::unique_ptr<ops::Backend> backend,
                         Observer& observer, const std::stop_token& stop)
    : LoadedModel(
          path, [&backend] { return std::move(backend); }, Loading{observer, stop}) {}

LoadedModel::LoadedModel(const std::filesystem::path& path, const BackendMaker& make,
                         const Loading& loading) {
    const std::filesystem::path folder = model::modelFolder(path);
    SpanSink spans(1);
    load(folder, make, loading, spans);
    m_loadMs = static_cast<double>(spans.spans().front().durationNs()) * 1e-6;
    std::error_code ignored;
    const auto absolute = std::filesystem::weakly_canonical(folder, ignored);
    m_info.path = (ignored ? folder : absolute).string();
    m_info.name = model::modelName(folder);
    describe();
}

void LoadedModel::load(const std::filesystem::path& folder, const BackendMaker& make,
                       const Loading& loading, SpanSink& spans) {
    const ScopedSpan span(spans, {trace::Zone::Load, trace::PassKind::Load, -1, 0});
    // What is quick to refuse comes first.
    m_config = model::readConfig(folder);
    model::WeightFiles files(folder, m_config);
    files.readAhead(); // a large vocabulary and a device take their time
    m_tokenizer = text::openTokenizer(folder);
    m_chat = text::findChatTemplate(folder, *m_tokenizer);
    m_backend = make();
    model::checkDevice(m_config, m_backend->info());
    checkRoom(folder, *m_backend);
    m_weights = model::loadWeights(
        files, m_config, *m_backend,
        [&](double fraction) {
            loading.observer.progress({"Loading weights", fraction});
        },
        loading.stop);
    m_transformer = std::make_unique<model::Transformer>(m_config, m_weights, *m_backend);
    m_backend->synchronize();
}

LoadedModel::LoadedModel(const model::Config& config, const ops::DeviceSpec& device,
                         std::uint64_t seed)
    : LoadedModel(config, ops::makeBackend(device), seed) {}

LoadedModel::LoadedModel(const model::Config& config, std::unique_ptr<ops::Backend> backend,
                         std::uint64_t seed)
    : m_config(config), m_backend(std::move(backend)) {
    SpanSink spans(1);
    const ScopedSpan span(spans, {trace::Zone::Load, trace::PassKind::Load, -1, 0});
    m_weights = model::randomWeights(m_config, *m_backend, seed);
    m_transformer = std::make_unique<model::Transformer>(m_config, m_weights, *m_backend);
    m_info.name = m_config.modelType + " with random weights";
    describe();
}

LoadedModel::LoadedModel(const std::filesystem::path& folder,
                         std::unique_ptr<ops::Backend> planning)
    : m_config(model::readConfig(folder)), m_backend(std::move(planning)) {
    model::WeightFiles files(folder, m_config);
    m_weights = model::loadWeights(files, m_config, *m_backend, {}, {});
    m_transformer = std::make_unique<model::Transformer>(m_config, m_weights, *m_backend);
    m_info.name = model::modelName(folder);
    describe();
}

void LoadedModel::describe() {
    m_info.layers = m_config.layers;
    m_info.queryHeads = m_config.queryHeads;
    m_info.kvHeads = m_config.kvHeads;
    m_info.headDim = m_config.headDim;
    m_info.hidden = m_config.hidden;
    m_info.intermediate = m_config.intermediate;
    m_info.vocabulary = m_config.vocabulary;
    m_info.contextLength = m_config.contextLength;
    m_info.weightBytes = m_weights.bytes;
    m_info.stepWeightBytes = m_weights.stepBytes();
    m_info.kvElementBytes = static_cast<std::int64_t>(sizeOf(m_backend->info().kvType));
    m_info.fingerprint = m_weights.fingerprint;
    const ops::DeviceInfo& device = m_backend->info();
    m_gpu = cuda::GpuMonitor::open(device.pciBusId);
    m_machine = {device.name, device.cpu, device.threads, device.blas, FKV_VERSION, {}};
}

} // namespace fkv::run
