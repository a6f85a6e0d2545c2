// In the head of every page, before anything is seen: the theme that the reader has chosen on an
// earlier page.
try {
  const theme = localStorage.getItem('recital-theme');
  if (theme) document.getElementById('dark').media = theme === 'dark' ? 'screen' : 'not all';
} catch {} // nothing is remembered where the browser stores nothing
