const BUTTON = "[data-testid=stPopoverButton]";
const MENU = "[data-testid=stPopoverBody]";
const WAIT_MILLISECONDS = 2000; // for a menu that was asked for to be drawn
let watched = false;

// A menu stands at the end of the page: with Tab, its visitor would first go through all the rest. So it takes the focus
// once it is opened. Escape closes it and Streamlit gives the focus back to its button; so is it given back here where
// the page closes it, since what had the focus is then gone.
export function focusOpenedMenus() {
  if (watched) return;
  watched = true;
  document.addEventListener("click", ({ target }) => { // a key pressed on the button is a click too
    if (!target.closest?.(BUTTON)) return;
    const before = document.querySelector(MENU);
    const drawn = new MutationObserver(() => {
      const menu = document.querySelector(MENU);
      if (!menu || menu === before) return;
      drawn.disconnect();
      menu.tabIndex = -1;
      if (!menu.contains(document.activeElement)) menu.focus({ preventScroll: true });
      giveBackOnceClosed(menu, target.closest(BUTTON));
    });
    drawn.observe(document.body, { childList: true, subtree: true });
    setTimeout(() => drawn.disconnect(), WAIT_MILLISECONDS);
  }, true);
}

function giveBackOnceClosed(menu, button) {
  const closed = new MutationObserver(() => {
    if (menu.isConnected) return;
    closed.disconnect();
    if (document.activeElement === document.body) button.focus({ preventScroll: true });
  });
  closed.observe(document.body, { childList: true, subtree: true });
}
