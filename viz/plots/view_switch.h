// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>
#include <QWidget>

class QButtonGroup;
class QToolButton;

namespace fkv::viz {

/// One of several views: a row of buttons, or, where that is too wide, one button with a menu that
/// names the view on show. The owner of the header says which; it may always be squeezed to the
/// narrow form.
class ViewSwitch : public QWidget {
    Q_OBJECT
public:
    explicit ViewSwitch(QWidget* parent = nullptr);

    void setNames(const QStringList& names); ///< shows the first
    const QStringList& names() const { return m_names; }
    int current() const { return m_current; }
    void setCurrent(int index); ///< says nothing
    void setNarrow(bool narrow);
    bool narrow() const { return m_narrow; }
    int wideWidth() const; ///< of the row of buttons

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void picked(int index); ///< by the user

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void pick(int index);
    void arrange();
    int narrowWidth() const;

    QStringList m_names;
    int m_current = 0;
    bool m_narrow = false;
    QWidget* m_row = nullptr;
    QButtonGroup* m_buttons = nullptr;
    QToolButton* m_menuButton = nullptr;
};

} // namespace fkv::viz
