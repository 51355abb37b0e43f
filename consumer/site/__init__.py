"""The website: every page is drawn on the server from the release and reads without JavaScript."""
