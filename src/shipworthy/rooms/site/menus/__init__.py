"""The menus around every page, made of the pages or put together by hand, and the way down to a page."""
