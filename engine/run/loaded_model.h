// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cuda/gpu_monitor.h"
#include "engine/model/transformer.h"
#include "engine/run/observer.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"
#include "engine/trace/run.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

namespace fkv::run {

/// ISO 8601, to the second.
std::string utcNow();

/// A model folder in a backend's memory. Its parts refer to each other, so it stays where it is.
class LoadedModel {
public:
    /// A model folder or a Hugging Face cache folder. Throws Error; reports "Loading weights".
    /// Throws OutOfMemory before it reads weights that do not fit.
    LoadedModel(const std::filesystem::path& path, const ops::DeviceSpec& device,
                Observer& observer, const std::stop_token& stop);
    /// The same on a backend that is there already.
    LoadedModel(const std::filesystem::path& path, std::unique_ptr<ops::Backend> backend,
                Observer& observer, const std::stop_token& stop);
    /// Random weights of the dimensions in `config`, made in backend memory; no tokenizer.
    LoadedModel(const model::Config& config, const ops::DeviceSpec& device, std::uint64_t seed);
    LoadedModel(const model::Config& config, std::unique_ptr<ops::Backend> backend,
                std::uint64_t seed);
    /// The same from the headers of a model folder alone, over a planning backend: everything has
    /// its size, nothing its content. No tokenizer.
    LoadedModel(const std::filesystem::path& folder, std::unique_ptr<ops::Backend> planning);
    LoadedModel(const LoadedModel&) = delete;
    LoadedModel& operator=(const LoadedModel&) = delete;

    const trace::ModelInfo& info() const { return m_info; }
    /// Where and by what it runs; without a date.
    const trace::Machine& machine() const { return m_machine; }
    /// Not for a model of random weights.
    const text::Tokenizer& tokenizer() const { return *m_tokenizer; }
    /// The same, to be kept beyond the model's life. Null for a model of random weights.
    std::shared_ptr<const text::Tokenizer> sharedTokenizer() const { return m_tokenizer; }
    const text::ChatSupport& chatSupport() const { return m_chat; }
    const model::Config& config() const { return m_config; }
    ops::Backend& backend() { return *m_backend; }
    const ops::Backend& backend() const { return *m_backend; }
    model::Transformer& transformer() { return *m_transformer; }
    const model::Transformer& transformer() const { return *m_transformer; }
    /// Of the GPU it runs on; null on the CPU and where the driver has nothing to say.
    const cuda::GpuMonitor* gpu() const { return m_gpu.get(); }
    double loadMs() const { return m_loadMs; }

private:
    struct Loading {
        Observer& observer;
        const std::stop_token& stop;
    };
    using BackendMaker = std::function<std::unique_ptr<ops::Backend>()>;
    LoadedModel(const std::filesystem::path& path, const BackendMaker& make,
                const Loading& loading);
    void load(const std::filesystem::path& folder, const BackendMaker& make, const Loading& loading,
              SpanSink& spans);
    void describe();

    model::Config m_config;
    std::shared_ptr<const text::Tokenizer> m_tokenizer;
    text::ChatSupport m_chat;
    std::unique_ptr<ops::Backend> m_backend;
    std::unique_ptr<cuda::GpuMonitor> m_gpu;
    model::Weights m_weights;
    std::unique_ptr<model::Transformer> m_transformer;
    trace::ModelInfo m_info;
    trace::Machine m_machine;
    double m_loadMs = 0.0;
};

} // namespace fkv::run
