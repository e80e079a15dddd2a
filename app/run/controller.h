// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/derivation.h"
#include "app/run/preview.h"
#include "app/run/prompt_input.h"
#include "app/run/rescoring.h"
#include "app/run/trace_jobs.h"
#include "app/run/worker.h"
#include "viz/state/view_context.h"

#include <QObject>
#include <QTimer>
#include <optional>
#include <vector>

namespace fkv::app {

/// Runs the engine for the window. Follows SettingsModel: the fate of every token is there in the
/// same call, so that all views preview in the frame; the exact result starts 150 ms after the last
/// move or on release, and a newer one replaces it. Writes Shown and Selection; a failed or
/// stopped request leaves the run on show as it was, but that an answer which was growing is marked
/// as stopped. Everything here is called on the window's thread.
class Controller : public QObject {
    Q_OBJECT
public:
    explicit Controller(const viz::ViewContext& context, QObject* parent = nullptr);
    ~Controller() override; ///< stops and joins the engine

    void
    setDevice(const QString& name); ///< "auto", "cpu", "cuda:N"; reopens the model that is open
    QString device() const { return QString::fromStdString(m_device.name); }
    /// Opens a model and then analyses the prompt, if there is one.
    void openModel(const QString& folder);
    /// Shows a recorded run. Its sliders preview until its model is located.
    void openTrace(const QString& path);
    /// Attaches the model of the recorded run on show, so that it runs live; another model is
    /// refused and the run stays recorded.
    void locateModel(const QString& folder);
    /// True when the model that is open is the recorded run's: locateModel(model()->folder)
    /// attaches it.
    bool modelFits() const;

    /// What the next run() analyses.
    void setPrompt(const PromptInput& prompt) { m_prompt = prompt; }
    const PromptInput& prompt() const { return m_prompt; }
    void run();
    void stop();
    /// The reader has seen why the last request failed: panels show the run again.
    void dismissFailure();
    void measure(); ///< standalone, kMeasureRepeats times, after the analysis under way
    void saveTrace(const QString& path);
    /// The K at which exact curves are wanted; 0: as many tokens as TSP selects.
    void setTopK(std::int64_t k);

    /// The open model, or null. The tokenizer in it may be used from any thread.
    const LoadedModel* model() const { return m_model ? &*m_model : nullptr; }
    /// Rates of its device: what the last run came to, else as measured when it was opened.
    const std::optional<run::Rates>& rates() const { return m_rates; }
    /// The engine works on a request.
    bool busy() const { return m_request.has_value(); }
    /// Nothing is under way or about to start: answers and derived values are in.
    bool settled() const;
    /// A run is on show whose model is not attached: settings only preview.
    bool recorded() const;
    bool canMeasure() const;
    /// Whether kernels are recorded of what a GPU runs from now on.
    bool tracesKernels() const { return m_traceKernels; }
    void setTracesKernels(bool on) { m_traceKernels = on; }
    /// Device memory that runs may use, weights included; 0: all there is.
    void setMemoryLimit(qint64 bytes) { m_memoryLimit = bytes; }
    qint64 memoryLimit() const { return m_memoryLimit; }
    bool saving() const { return m_traces.saving(); }

    static constexpr int kMeasureRepeats = 5;
    static constexpr int kSettleMs = 150; ///< from the last move to the exact run

Q_SIGNALS:
    void modelChanged();
    /// busy(), recorded(), canMeasure() or settled() may have changed.
    void stateChanged();
    void settledDown(); ///< settled() became true
    void failed(const fkv::app::Failure& failure);
    /// A trace brought its own prompt: the page shows it.
    void promptReplaced(const fkv::app::PromptInput& prompt);
    void traceOpened(const QString& path);
    void traceSaved(const QString& path);

private:
    enum class Kind { Open, Locate, Analyse, Measure };
    /// What the engine is working on.
    struct Request {
        Kind kind = Kind::Open;
        PromptInput prompt;
        trace::Settings settings;
        bool fullKnown = false; ///< its full pass is on show: a newer request need not wait for it
    };

    void connectWorker();
    void connectSettings();
    void open(const QString& folder, Kind kind);
    void analyse(const PromptInput& prompt);
    run::Request engineRequest(const PromptInput& prompt) const;

    void onSettingsChanged();
    void requestExact();
    void updateFate();
    void derive();

    void onOpened(const LoadedModel& model);
    void onPublished(const trace::RunPtr& run);
    void onFinished(const trace::RunPtr& run);
    void onFailed(const Failure& failure);
    void onTraceOpened(const trace::RunPtr& run, const QString& path);
    void show(const trace::RunPtr& run, const std::vector<PromptInput::Span>& spans);
    void onRescored(const trace::RunPtr& run);
    void replaceSettings(const trace::Settings& settings);
    void endRequest(viz::Shown::Phase phase, const QString& text = {});
    viz::Shown::Phase restingPhase() const;
    void announce();

    viz::ViewContext m_context;
    ops::DeviceSpec m_device;
    std::optional<LoadedModel> m_model;
    PromptInput m_prompt;      ///< of the page
    PromptInput m_shownPrompt; ///< of the run on show
    /// Token ids of m_shownPrompt's text where tokenizing it again would give others (recorded from
    /// ids).
    std::optional<std::vector<std::int32_t>> m_shownIds;
    std::optional<Request> m_request;
    std::optional<trace::Settings> m_exactFor; ///< settings that the run on show is finished for
    bool m_attached = false;                   ///< the open model made the run on show
    bool m_replacing = false; ///< settings change together with the run: no preview in between
    bool m_again = false;     ///< settings moved during a full pass
    bool m_measureNext = false;
    bool m_traceKernels = false;
    qint64 m_memoryLimit = 0;
    std::optional<run::Rates> m_rates;
    bool m_wasDragging = false;
    bool m_wasSettled = true;
    std::int64_t m_topK = 0;
    QTimer m_settle;

    Preview m_preview;
    Derivation m_derivation;
    Rescoring m_rescoring; ///< of a recorded run
    TraceJobs m_traces;
    Worker m_worker;
};

} // namespace fkv::app
