// Before anything is drawn, so that a page never shows in the other theme first.
try {
  const theme = localStorage.getItem('decnet.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch (error) {
  console.warn('the theme cannot be remembered here', error)
}
