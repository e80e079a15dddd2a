// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/panel.h"
#include "viz/series/answer_lines.h"

namespace fkv::viz {

class AnswersView;

/// Does the answer still hold? Expected, full-context and FastKV answers token by token (VIEWS,
/// Answers 1-3 and 5). While a new answer is on its way the old one stays, dimmed, with its
/// settings.
class AnswersPanel : public Panel {
    Q_OBJECT
public:
    explicit AnswersPanel(const ViewContext& context, QWidget* parent = nullptr);

    AnswersView& answers() const { return *m_answers; }
    void paintFigure(QPainter& painter, const QSize& size) override;
    QString csv() const override;

protected:
    bool hasContent() const override;

private:
    void followRun();
    void refresh();
    void updateReadout();
    bool pending() const;
    bool fullPending() const;
    QString settingsOfMethod() const;
    QStringList progress() const;

    AnswersView* m_answers = nullptr;
    std::shared_ptr<const trace::Prompt> m_prompt; ///< that the answers below belong to
    std::shared_ptr<const trace::Answer> m_full;
    trace::Settings m_fullSettings; ///< of which decoding matters
    MethodAnswer m_method;
};

} // namespace fkv::viz
