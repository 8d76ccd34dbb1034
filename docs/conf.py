"""Sphinx configuration."""

import os

# before NumPy is imported: the gallery's timings are those of one thread
os.environ.setdefault("OMP_NUM_THREADS", "1")

import lrla

project = "lrla"
copyright = "2026, The lrla developers"
author = "The lrla developers"
release = lrla.__version__

extensions = [
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples"]
default_role = "autolink"  # `name` in a docstring links to what it names

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 4,
    "secondary_sidebar_items": {  # none in the gallery: room for pictures
        **{pages: ["page-toc"] for pages in ("*", "api/**", "gallery/index")},
        "gallery/plot_*": [],
    },
}
html_title = f"lrla {release}"
html_sidebars = {  # these pages have no others beside them
    page: []
    for page in (
        *("tour", "choosing", "coming_from", "faq"),
        *("reproducibility", "limitations", "performance", "algorithms"),
    )
}
html_show_sourcelink = False

# Every reference must resolve, except those that leave this documentation: the build needs no
# network, so it reads no other project's inventory.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(numpy|scipy|sklearn|cupy|cupyx|dask|torch)\..*")]

autosummary_generate = True
autodoc_typehints = "none"  # types are in the docstrings, in words that say more
numpydoc_show_class_members = False  # the class template does that
numpydoc_validation_checks = {
    "all",
    # what some docstrings have no need of
    "ES01",  # an extended summary
    "EX01",  # examples; a test asks for them of every public function
    "SA01",  # a see-also section
    "YD01",  # a yields section; context managers return nothing to speak of
    # what reads better another way
    "GL01",  # summaries start on the line of the quotes
    "GL03",  # blank lines may separate groups of text
    "GL08",  # attributes of dataclasses are documented under Parameters
    "PR01",  # properties and *args of special methods
    "PR02",
    "PR04",  # parameters that are those of another function, whose page has their types
    "PR06",  # "int" and "integer" both read well
    "PR08",
    "PR09",
    "SA03",  # capitals in lists of phrases
    "RT01",  # what one-line methods return; a test asks for the section of functions
    "RT02",  # naming the one value that is returned
    "RT03",
    "RT04",
    "RT05",
}

# fields of named tuples are documented under Parameters
numpydoc_validation_exclude = {
    r"approximation\.Step\.\w+$",
    r"bandits\.(Trial|Outcome)\.\w+$",
    r"sampling\.Estimate\.\w+$",
}

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[\\/]plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 1,
    "plot_gallery": True,
    "show_memory": False,
    "remove_config_comments": True,
}
