// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/panel.h"

#include <memory>
#include <vector>

namespace fkv::viz {

class FindBar;
class TokenSearch;
class TokenText;
class TokensView;

/// The prompt as the model sees it (VIEWS, Tokens): the text with its map, and a find bar over it.
class TokensPanel : public Panel {
    Q_OBJECT
public:
    explicit TokensPanel(const ViewContext& context, QWidget* parent = nullptr);
    ~TokensPanel() override;

    TokensView& view() const { return *m_view; }
    FindBar& findBar() const { return *m_find; }
    void paintFigure(QPainter& painter, const QSize& size) override;
    QString csv() const override;

public Q_SLOTS:
    void openFind();
    void closeFind();

protected:
    bool hasContent() const override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void setupFind();
    void followRun();
    void updateNote();
    void updateReadout();
    QString describe() const;
    void search(const QString& needle);
    void step(int by);
    void showCount();

    TokensView* m_view = nullptr;
    FindBar* m_find = nullptr;
    std::unique_ptr<TokenSearch> m_search; ///< made when the find bar is first used
    std::shared_ptr<const TokenText> m_searched;
    std::vector<TokenRange> m_hits;
    std::int64_t m_current = -1;
};

} // namespace fkv::viz
