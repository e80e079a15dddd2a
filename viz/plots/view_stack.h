// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <vector>

namespace fkv::viz {

/// The body of a panel with several views: one in sight, or two, one above the other, where it is
/// taller than `twoFrom` px. The focus goes to the upper one.
class ViewStack : public QWidget {
    Q_OBJECT
public:
    ViewStack(int twoFrom, QWidget* parent);

    void add(QWidget* view);                      ///< takes it
    void present(QWidget* upper, QWidget* lower); ///< `lower` may be null
    QWidget* upper() const { return m_upper; }
    QWidget* lower() const { return m_lowerShown ? m_lower : nullptr; } ///< null while out of sight
    static constexpr int kGap = 2;

Q_SIGNALS:
    void shownChanged(); ///< upper() or lower() is another one

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void arrange();

    int m_twoFrom;
    std::vector<QWidget*> m_views;
    QWidget* m_upper = nullptr;
    QWidget* m_lower = nullptr;
    bool m_lowerShown = false;
};

} // namespace fkv::viz
