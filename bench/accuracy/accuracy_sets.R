# SPDX-License-Identifier: Apache-2.0
# Fifteen public sets of Debian's R packages as CSV files: Rscript accuracy_sets.R FOLDER. The first
# column, y, is the outcome, 0 or 1; empty cells are missing. They were chosen, before anything was
# learned of them, for 700 rows or more, several fields, an outcome that people predict, and no other
# column that tells it; what repeats the outcome in other words is left out, as said below.
folder <- commandArgs(TRUE)[1]
take <- function(package, name) {
    room <- new.env()
    data(list = name, package = package, envir = room)
    as.data.frame(get(name, envir = room))
}
put <- function(name, rows, outcome, drop = c()) {
    y <- as.integer(outcome)
    rows <- rows[!is.na(y), setdiff(names(rows), drop), drop = FALSE]
    for (column in names(rows)) {
        x <- rows[[column]]
        rows[[column]] <- if (is.logical(x)) ifelse(x, "yes", "no") else if (is.numeric(x)) x else as.character(x)
    }
    write.csv(cbind(y = y[!is.na(y)], rows), file.path(folder, paste0(name, ".csv")), row.names = FALSE, na = "")
}
x <- take("mlbench", "PimaIndiansDiabetes2"); put("pima", x, x$diabetes == "pos", "diabetes")
x <- take("kernlab", "income"); put("income", x, as.integer(x$INCOME) >= 7, "INCOME") # 40,000 or more
x <- take("kernlab", "spam"); put("spam", x, x$type == "spam", "type")
x <- take("kernlab", "ticdata"); put("caravan", x, x$CARAVAN != "noinsurance", "CARAVAN")
x <- take("modeldata", "attrition"); put("attrition", x, x$Attrition == "Yes", "Attrition")
x <- take("modeldata", "credit_data"); put("credit", x, x$Status == "bad", "Status")
x <- take("modeldata", "lending_club"); put("lending", x, x$Class == "bad", "Class")
x <- take("modeldata", "mlc_churn"); put("churn", x, x$churn == "yes", "churn")
x <- take("modeldata", "wa_churn"); put("telco", x, x$churn == "Yes", "churn")
x <- take("modeldata", "stackoverflow"); put("remote", x, x$Remote == "Remote", "Remote")
x <- take("caret", "GermanCredit"); put("german", x, x$Class == "Bad", "Class")
x <- take("AER", "HMDA"); put("mortgage", x, x$deny == "yes", "deny")
x <- take("AER", "SmokeBan"); put("smoker", x, x$smoker == "yes", "smoker")
x <- take("AER", "HealthInsurance"); put("insured", x, x$insurance == "yes", "insurance")
# A search of the person and a citation come of the same stop: what follows it is left out, and so are
# numbers of rows and texts of times.
x <- take("carData", "MplsStops"); put("searched", x, x$vehicleSearch == "YES",
    c("vehicleSearch", "personSearch", "citationIssued", "idNum", "MDC", "date"))
